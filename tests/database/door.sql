begin;
set local search_path = tap, public;
select plan(1);
set local role authenticated;
select throws_ok('select * from api.nothing', '42P01', null, 'A user sees that pgTAP runs as them');
reset role;
select * from finish();
rollback;
