// Acts as a `claude` that takes as long as one does: what it costs to start, and how long the model lets it wait, is
// given in milliseconds and megabytes by the environment (START_CPU_MS, HOLD_MB; FIRST_TOKEN_MS until the answer begins, and
// ANSWER_MS until it ends). With
// `--input-format=stream-json` it answers what it reads, otherwise the prompt in its arguments, as in a shell loop. When it
// answers, it adds the time in milliseconds since 1970 to the file ENDS.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// The id of the conversation, which `/clear` counts up.
static char id[] = "00000000-0000-4000-8000-000000000001";
static char input[1 << 20];

static long setting(const char *name) {
  const char *text = getenv(name);
  return text ? atol(text) : 0;
}

static double now_ms(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void wait_ms(long ms) {
  struct timespec time = {ms / 1000, (ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

// Takes memory and processor time, as the start of a runtime does.
static void start(void) {
  size_t size = (size_t)setting("HOLD_MB") * 1000000;
  volatile char *held = size > 0 ? malloc(size) : NULL;
  for (size_t at = 0; held && at < size; at += 4096) held[at] = 1;
  double until = now_ms(CLOCK_PROCESS_CPUTIME_ID) + (double)setting("START_CPU_MS");
  while (now_ms(CLOCK_PROCESS_CPUTIME_ID) < until) continue;
}

// One write, so that lines of processes at the same time stay whole.
static void note_end(void) {
  const char *path = getenv("ENDS");
  if (!path) return;
  char line[64];
  int length = snprintf(line, sizeof line, "%.0f\n", now_ms(CLOCK_REALTIME));
  int file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (file >= 0 && write(file, line, (size_t)length) == length) close(file);
}

static void initialized(const char *line) {
  const char *at = strstr(line, "\"request_id\":\"");
  if (!at) return;
  at += strlen("\"request_id\":\"");
  printf("{\"type\":\"control_response\",\"response\":{\"subtype\":\"success\",\"request_id\":\"%.*s\",\"response\":{}}}\n",
         (int)strcspn(at, "\""), at);
  fflush(stdout);
}

static void introduced(void) {
  printf("{\"type\":\"system\",\"subtype\":\"init\",\"cwd\":\"/\",\"session_id\":\"%s\",\"tools\":[\"Read\"],\"mcp_servers\":[],"
         "\"model\":\"claude-opus-4-8\",\"permissionMode\":\"default\",\"slash_commands\":[],\"apiKeySource\":\"ANTHROPIC_API_KEY\","
         "\"claude_code_version\":\"2.1.332\",\"output_style\":\"default\",\"agents\":[],\"skills\":[],\"plugins\":[],"
         "\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000001\"}\n", id);
  fflush(stdout);
}

// Begins another conversation, as `/clear` does.
static void cleared(void) {
  char before[sizeof id];
  memcpy(before, id, sizeof id);
  for (size_t at = sizeof id - 2; ++id[at] > '9'; at--) id[at] = '0';
  printf("{\"type\":\"conversation_reset\",\"new_conversation_id\":\"%s\",\"trigger\":\"clear\",\"session_id\":\"%s\","
         "\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000005\"}\n", id, before);
  introduced();
  printf("{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"duration_ms\":0,\"duration_api_ms\":0,\"num_turns\":0,"
         "\"result\":\"\",\"stop_reason\":null,\"session_id\":\"%s\",\"total_cost_usd\":0,"
         "\"usage\":{\"input_tokens\":0,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":0},"
         "\"modelUsage\":{},\"permission_denials\":[],\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000006\"}\n", id);
  fflush(stdout);
}

static void answered(int partial) {
  introduced();
  wait_ms(setting("FIRST_TOKEN_MS"));
  if (partial)
    printf("{\"type\":\"stream_event\",\"event\":{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":"
           "\"assistant\",\"model\":\"claude-opus-4-8\",\"content\":[],\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}},"
           "\"session_id\":\"%s\",\"parent_tool_use_id\":null,\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000002\"}\n", id);
  fflush(stdout);
  wait_ms(setting("ANSWER_MS"));
  // The account's pace grows with each of these.
  printf("{\"type\":\"assistant\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-4-8\","
         "\"content\":[{\"type\":\"text\",\"text\":\"The answer is 4.\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":"
         "{\"input_tokens\":1544,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":17292,\"output_tokens\":11}},"
         "\"parent_tool_use_id\":null,\"session_id\":\"%s\",\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000004\"}\n", id);
  printf("{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"duration_ms\":274,\"duration_api_ms\":45,\"num_turns\":1,"
         "\"result\":\"The answer is 4.\",\"stop_reason\":\"end_turn\",\"session_id\":\"%s\",\"total_cost_usd\":0.016641,"
         "\"usage\":{\"input_tokens\":1544,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":17292,"
         "\"output_tokens\":11},\"modelUsage\":{},\"permission_denials\":[],\"terminal_reason\":\"completed\","
         "\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000003\"}\n", id);
  fflush(stdout);
  note_end();
}

int main(int count, char **arguments) {
  int streams = 0, partial = 0;
  for (int index = 1; index < count; index++) {
    if (strcmp(arguments[index], "--version") == 0) return puts("2.1.332 (Claude Code)") < 0;
    if (strcmp(arguments[index], "--input-format=stream-json") == 0) streams = 1;
    if (strcmp(arguments[index], "--include-partial-messages") == 0) partial = 1;
  }
  start();
  if (!streams) {
    wait_ms(setting("FIRST_TOKEN_MS") + setting("ANSWER_MS"));
    int code = puts("The answer is 4.") < 0;
    fflush(stdout);
    note_end();
    return code;
  }
  while (fgets(input, sizeof input, stdin)) {
    if (strstr(input, "\"initialize\"")) initialized(input);
    else if (strstr(input, "\"/clear\"")) cleared();
    else if (strstr(input, "\"message\"")) answered(partial);
  }
  return 0;
}
