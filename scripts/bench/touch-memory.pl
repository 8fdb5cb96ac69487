#!/usr/bin/perl
# Acts as a `claude` in streaming-input mode whose memory grows as that of a session does, before it answers. In Perl,
# which every Debian has: TOUCH_MEGABYTES says how much it touches, and TOUCH_SECONDS how long that takes.
use strict;
use warnings;

my $steps = 15;

# Should the kernel have to choose after all, then one of us, and nobody else on this machine.
if (open my $score, '>', '/proc/self/oom_score_adj') { print $score 1000 }

if (grep { $_ eq '--version' } @ARGV) { print "2.1.197 (Claude Code)\n"; exit }
my ($session) = map { /^--(?:session-id|resume)=(.+)/ ? $1 : () } @ARGV;

# Waits for input, at most so many seconds. False when it has ended, or wants the turn to end.
sub go_on {
  my ($seconds) = @_;
  my $ready = '';
  vec($ready, 0, 1) = 1;
  return 1 unless select $ready, undef, undef, $seconds;
  return 0 unless sysread STDIN, my $line, 65536;
  return $line !~ /"interrupt"/;
}

$| = 1;
exit unless go_on(undef);
print qq({"type":"system","subtype":"init","session_id":"$session","model":"claude-opus-4-8","tools":[],"mcp_servers":[],)
  . qq("apiKeySource":"none","permissionMode":"default","claude_code_version":"2.1.197"}\n);

# Read from a device: the kernel fills the pages, and Perl makes no second copy of them.
open my $zeros, '<', '/dev/zero' or die "/dev/zero: $!";
my $memory = '';
for my $step (1 .. $steps) {
  print qq({"type":"assistant","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-8",)
    . qq("content":[{"type":"text","text":"I touch it."}],"usage":{"input_tokens":10,"output_tokens":1}},)
    . qq("parent_tool_use_id":null,"session_id":"$session"}\n) if $step == 3;
  sysread $zeros, $memory, $ENV{TOUCH_MEGABYTES} * 1e6 / $steps, length $memory;
  exit unless go_on($ENV{TOUCH_SECONDS} / $steps);
}

print qq({"type":"result","subtype":"success","is_error":false,"duration_ms":1000,"num_turns":1,"result":"Touched.",)
  . qq("session_id":"$session","total_cost_usd":0.01,"usage":{"input_tokens":10,"output_tokens":10}}\n);
1 while sysread STDIN, my $rest, 65536;
