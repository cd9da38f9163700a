# Takes PostgRESTs out of the edge's use without cutting a request, so that they can be replaced.
# The page on the edge says when. It runs in the edge's container, whose socket nobody else reaches:
#
#   docker compose exec -T edge perl /compose/edge.pl drain 172.18.0.7
#   docker compose exec -T edge perl /compose/edge.pl ready
#
# drain: waits until another PostgREST is ready, gives the one at this address no more requests, and
#   waits until it has none. Each wait ends with an error after 60 s.
# ready: all that the name has are used again. A place that was drained stays so without it.
use strict;
use warnings;
use IO::Socket::UNIX;

my ($action, $address) = @ARGV;
if (($action // "") eq "drain" && defined $address) { drain($address) }
elsif (($action // "") eq "ready" && !defined $address) { command("set server api/$_->{name} state ready") for servers() }
else { die "usage: perl edge.pl drain <address> | ready\n" }

sub drain {
  my ($address) = @_;
  my ($server) = grep { $_->{address} eq $address } servers();
  die "The edge knows no PostgREST at $address: see `show servers state api`.\n" unless $server;
  my $name = $server->{name};
  wait_until("another PostgREST is ready", sub {
    grep { $_->{name} ne $name && $_->{status} =~ /^UP/ } servers();
  });
  command("set server api/$name state drain");
  wait_until("$address has no request", sub {
    grep { $_->{name} eq $name && $_->{current} == 0 } servers();
  });
}

# The places that PostgRESTs have in the edge; those without one have no address.
sub servers {
  my %addresses = map { my @field = split / /; ($field[3] => $field[4]) } grep { /^\d+ api / } split /\n/, command("show servers state api");
  return map { my @field = split /,/; { name => $field[1], address => $addresses{$field[1]}, current => $field[4], status => $field[17] } }
    grep { /^api,api\d/ } split /\n/, command("show stat");
}

sub command {
  my ($line) = @_;
  my $path = ($ENV{EDGE_DIRECTORY} // "/tmp") . "/edge.sock";
  my $socket = IO::Socket::UNIX->new(Peer => $path) or die "Cannot reach the edge at $path: $!\n";
  print $socket "$line\n";
  return join "", <$socket>;
}

sub wait_until {
  my ($what, $holds) = @_;
  my $deadline = time + 60;
  until ($holds->()) {
    die "It did not come true within 60 s that $what.\n" if time > $deadline;
    select undef, undef, undef, 0.1;
  }
}
