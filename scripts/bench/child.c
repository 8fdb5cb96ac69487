// Acts as a `claude` in streaming-input mode that answers at once, and costs next to nothing itself: what a
// benchmark measures around it is then the cost of whoever runs it. Its messages are those that the real one prints: others
// wait until a session has answered `initialize`, and until the API begins to answer the first one.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char init_line[] =
    "{\"type\":\"system\",\"subtype\":\"init\",\"cwd\":\"/home/user/project\",\"session_id\":\"00000000-0000-4000-8000-000000000001\","
    "\"tools\":[\"Task\",\"Bash\",\"CronCreate\",\"CronDelete\",\"CronList\",\"Edit\",\"EnterWorktree\","
    "\"ExitWorktree\",\"NotebookEdit\",\"Read\",\"ReportFindings\",\"ScheduleWakeup\",\"SendMessage\","
    "\"Skill\",\"TaskCreate\",\"TaskGet\",\"TaskList\",\"TaskOutput\",\"TaskStop\",\"TaskUpdate\",\"WebFetch\","
    "\"WebSearch\",\"Workflow\",\"Write\"],\"mcp_servers\":[],\"model\":\"claude-opus-4-8[1m]\",\"permissionMode\":\"default\","
    "\"slash_commands\":[\"deep-research\",\"update-config\",\"verify\",\"debug\",\"code-review\","
    "\"simplify\",\"batch\",\"fewer-permission-prompts\",\"loop\",\"claude-api\",\"run\",\"run-skill-generator\","
    "\"clear\",\"compact\",\"config\",\"context\",\"heapdump\",\"init\",\"reload-skills\",\"review\",\"security-review\","
    "\"usage\",\"insights\",\"goal\",\"team-onboarding\"],\"apiKeySource\":\"ANTHROPIC_API_KEY\",\"claude_code_version\":\"2.1.197\","
    "\"output_style\":\"default\",\"agents\":[\"claude\",\"Explore\",\"general-purpose\",\"Plan\",\"statusline-setup\"],"
    "\"skills\":[\"deep-research\",\"update-config\",\"verify\",\"debug\",\"code-review\",\"simplify\","
    "\"batch\",\"fewer-permission-prompts\",\"loop\",\"claude-api\",\"run\",\"run-skill-generator\"],"
    "\"plugins\":[],\"analytics_disabled\":true,\"product_feedback_disabled\":true,\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000001\","
    "\"memory_paths\":{\"auto\":\"/home/user/.claude/projects/-home-user-project/memory/\"},"
    "\"fast_mode_state\":\"off\"}\n";

static const char result_line[] =
    "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"api_error_status\":null,\"duration_ms\":274,"
    "\"duration_api_ms\":45,\"ttft_ms\":259,\"ttft_stream_ms\":256,\"time_to_request_ms\":237,"
    "\"num_turns\":1,\"result\":\"The answer is 4.\",\"stop_reason\":\"end_turn\",\"session_id\":\"00000000-0000-4000-8000-000000000001\","
    "\"total_cost_usd\":0.016641,\"usage\":{\"input_tokens\":1544,\"cache_creation_input_tokens\":0,"
    "\"cache_read_input_tokens\":17292,\"output_tokens\":11,\"server_tool_use\":{\"web_search_requests\":0,"
    "\"web_fetch_requests\":0},\"service_tier\":\"standard\",\"cache_creation\":{\"ephemeral_1h_input_tokens\":0,"
    "\"ephemeral_5m_input_tokens\":0},\"inference_geo\":\"not_available\",\"iterations\":[],\"speed\":\"standard\"},"
    "\"modelUsage\":{\"claude-opus-4-8[1m]\":{\"inputTokens\":1544,\"outputTokens\":11,\"cacheReadInputTokens\":17292,"
    "\"cacheCreationInputTokens\":0,\"webSearchRequests\":0,\"costUSD\":0.016641,\"contextWindow\":1000000,"
    "\"maxOutputTokens\":64000}},\"permission_denials\":[],\"terminal_reason\":\"completed\",\"fast_mode_state\":\"off\","
    "\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000003\"}\n";

static const char began_line[] =
    "{\"type\":\"stream_event\",\"event\":{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\","
    "\"role\":\"assistant\",\"model\":\"claude-opus-4-8\",\"content\":[],\"usage\":{\"input_tokens\":1544,\"output_tokens\":1}}},"
    "\"session_id\":\"00000000-0000-4000-8000-000000000001\",\"parent_tool_use_id\":null,"
    "\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000002\"}\n";

static const char assistant_line[] =
    "{\"type\":\"assistant\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\","
    "\"model\":\"claude-opus-4-8\",\"content\":[{\"type\":\"text\",\"text\":\"The answer is 4.\"}],\"stop_reason\":\"end_turn\","
    "\"stop_sequence\":null,\"usage\":{\"input_tokens\":1544,\"cache_creation_input_tokens\":0,"
    "\"cache_read_input_tokens\":17292,\"output_tokens\":11}},\"parent_tool_use_id\":null,"
    "\"session_id\":\"00000000-0000-4000-8000-000000000001\",\"uuid\":\"aaaaaaaa-0000-4000-8000-000000000004\"}\n";

static char input[65536];
static size_t taken;

static int say(const char *text, size_t length) { return write(1, text, length) == (ssize_t)length; }

// The next line; NULL at the end of input, where it cannot be read, or where it is too long.
static char *next_line(void) {
  static size_t used;
  memmove(input, input + used, taken - used);
  taken -= used;
  used = 0;
  for (;;) {
    char *end = memchr(input, '\n', taken);
    if (end) {
      *end = 0;
      used = (size_t)(end + 1 - input);
      return input;
    }
    ssize_t length = taken < sizeof input ? read(0, input + taken, sizeof input - taken) : 0;
    if (length <= 0) return NULL;
    taken += (size_t)length;
  }
}

static int initialized(const char *line) {
  static const char name[] = "\"request_id\":\"";
  char answer[512];
  const char *at = strstr(line, name);
  if (!at) return 1;
  at += sizeof name - 1;
  int length = snprintf(answer, sizeof answer,
                        "{\"type\":\"control_response\",\"response\":{\"subtype\":\"success\",\"request_id\":\"%.*s\",\"response\":{}}}\n",
                        (int)strcspn(at, "\""), at);
  return length < (int)sizeof answer && say(answer, (size_t)length);
}

static int answered(int partial) {
  return say(init_line, sizeof init_line - 1) && (!partial || say(began_line, sizeof began_line - 1)) &&
         say(assistant_line, sizeof assistant_line - 1) && say(result_line, sizeof result_line - 1);
}

int main(int count, char **arguments) {
  int partial = 0;
  for (int index = 1; index < count; index++) {
    if (strcmp(arguments[index], "--version") == 0) return puts("2.1.197 (Claude Code)") < 0;
    if (strcmp(arguments[index], "--include-partial-messages") == 0) partial = 1;
  }
  for (char *line; (line = next_line());) {
    if (strstr(line, "\"initialize\"")) {
      if (!initialized(line)) return 1;
    } else if (strstr(line, "\"message\"") && !answered(partial)) return 1;
  }
  return 0;
}
