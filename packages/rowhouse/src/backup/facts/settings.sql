-- Settings of this database and of the API's roles, each as a fingerprint: some hold secrets.
with recursive api_role (oid) as (
  select oid
  from api_login
  union
  select member.roleid
  from pg_catalog.pg_auth_members as member
  join api_role on api_role.oid = member.member
)
select
  concat_ws(
    ' in ',
    coalesce(role.rolname, 'everybody'),
    case when setting.setdatabase <> 0 then 'this database' end
  ) as name,
  encode(sha256(convert_to(array_to_string(array(select unnest(setting.setconfig) order by 1), E'\n'), 'UTF8')), 'hex') as hash
from pg_catalog.pg_db_role_setting as setting
left join pg_catalog.pg_roles as role on role.oid = setting.setrole
where (setting.setdatabase = 0 or setting.setdatabase = (select oid from pg_catalog.pg_database where datname = current_database()))
and (setting.setrole in (select oid from api_role) or (setting.setrole = 0 and setting.setdatabase <> 0))
order by name
