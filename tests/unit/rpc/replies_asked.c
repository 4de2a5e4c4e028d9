/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/rpc/replies_asked.h"

#define SCHEMA                                                                                     \
    "{\\\"name\\\":\\\"company\\\",\\\"fields\\\":["                                               \
    "{\\\"name\\\":\\\"industry\\\",\\\"type\\\":\\\"category\\\"},"                               \
    "{\\\"name\\\":\\\"employees\\\",\\\"type\\\":\\\"number\\\"},"                                \
    "{\\\"name\\\":\\\"tech\\\",\\\"type\\\":\\\"tags\\\"},"                                       \
    "{\\\"name\\\":\\\"trial\\\",\\\"type\\\":\\\"flag\\\"},"                                      \
    "{\\\"name\\\":\\\"embedding\\\",\\\"type\\\":\\\"vector\\\",\\\"dims\\\":2},"                 \
    "{\\\"name\\\":\\\"won\\\",\\\"type\\\":\\\"flag\\\"},"                                        \
    "{\\\"name\\\":\\\"company\\\",\\\"type\\\":\\\"category\\\"}]}"
#define WAY                                                                                        \
    "{\"id\":\"way\",\"keys\":[\"domain:way.example\"],\"source\":\"crm\",\"time\":1000,"          \
    "\"values\":{\"company\":\"Way Steel\",\"industry\":\"Steel\",\"employees\":12,"               \
    "\"tech\":[\"Jira\"],\"trial\":true,\"embedding\":[0.5,1]}}"
#define EVENT(type, id, more)                                                                      \
    "{\"account\":\"way\",\"type\":\"" type "\",\"id\":\"" id "\"," more "}"
#define POLICY                                                                                     \
    "{\\\"policy\\\":1,\\\"name\\\":\\\"won\\\",\\\"case\\\":\\\"subject\\\","                     \
    "\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":["                                    \
    "{\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","                 \
    "\\\"within\\\":\\\"1 days\\\"}]}]}"

#define STAGES                                                                                     \
    "{\\\"policy\\\":1,\\\"name\\\":\\\"won\\\",\\\"case\\\":\\\"stage\\\","                       \
    "\\\"stage_field\\\":\\\"deal\\\",\\\"moment\\\":\\\"stage\\\",\\\"archetypes\\\":["           \
    "{\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","                 \
    "\\\"within\\\":\\\"1 days\\\"}]}]}"

#define PLAN                                                                                       \
    "{\"name\":\"year\",\"act\":\"create\",\"operation\":\"o17\",\"body\":\"{"                     \
    "\\\"from\\\":\\\"2027-01-01\\\",\\\"to\\\":\\\"2027-12-31\\\","                               \
    "\\\"layers\\\":[\\\"data\\\"],\\\"stages\\\":[\\\"renewal\\\"]}\"}"
/* The usual rules of a metric, one of them as said. */
#define DEFINITION(reactivation)                                                                   \
    "{\\\"metric\\\":\\\"churn-count\\\",\\\"name\\\":\\\"board\\\",\\\"currency\\\":\\\"\\\","    \
    "\\\"rates\\\":{},\\\"rules\\\":{\\\"churn-at\\\":\\\"end\\\","                                \
    "\\\"churn-evidence\\\":\\\"account-zero\\\",\\\"churn-unit\\\":\\\"account\\\","              \
    "\\\"discount\\\":\\\"net\\\",\\\"end-day\\\":\\\"exclusive\\\","                              \
    "\\\"free\\\":\\\"churned\\\",\\\"one-off\\\":\\\"excluded\\\","                               \
    "\\\"past-due\\\":\\\"counted\\\",\\\"paused\\\":\\\"excluded\\\","                            \
    "\\\"reactivation\\\":\\\"" reactivation "\\\",\\\"trials\\\":\\\"excluded\\\"}}"

const struct replies_asked replies_asked[] = {
    {PROTO_OP_HELLO, "{\"client\":\"test/1\"}"},
    {PROTO_OP_PING, "{}"},
    {PROTO_OP_STATS, "{}"},
    {PROTO_OP_MONITOR, "{}"},
    {PROTO_OP_SCHEMA_PUT, "{\"document\":\"" SCHEMA "\",\"operation\":\"o1\"}"},
    {PROTO_OP_SCHEMA_PUT, "{\"document\":\"" SCHEMA "\",\"operation\":\"o1\"}"},
    {PROTO_OP_SCHEMA_GET, "{}"},
    {PROTO_OP_MONITOR, "{\"after\":1}"},
    {PROTO_OP_CLIENT_LIST, "{}"},
    {PROTO_OP_SLOW_LOG, "{}"},
    {PROTO_OP_IMPORT_MARK, "{\"import_id\":\"i1\",\"name\":\"way.csv\"}"},
    {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[" WAY "],\"import_id\":\"i1\",\"operation\":\"o2\"}"},
    {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[" WAY "],\"import_id\":\"i1\",\"operation\":\"o2\"}"},
    {PROTO_OP_IMPORT_MARK, "{\"import_id\":\"i1\",\"done\":true,\"operation\":\"o3\"}"},
    {PROTO_OP_IMPORT_MARK, "{\"import_id\":\"i1\",\"done\":true,\"operation\":\"o3\"}"},
    {PROTO_OP_ACCOUNT_PATCH,
     "{\"accounts\":[{\"id\":\"way\",\"values\":{\"employees\":13,\"trial\":null}}],"
     "\"source\":\"people\",\"operation\":\"o4\"}"},
    {PROTO_OP_ACCOUNT_PATCH,
     "{\"accounts\":[{\"id\":\"way\",\"values\":{\"employees\":13,\"trial\":null}}],"
     "\"source\":\"people\",\"operation\":\"o4\"}"},
    {PROTO_OP_ACCOUNT_HISTORY, "{\"id\":\"way\",\"limit\":1}"},
    {PROTO_OP_ACCOUNT_HISTORY, "{\"id\":\"way\"}"},
    {PROTO_OP_MATCH, "{\"rows\":[{\"name\":\"Way Steel Ltd\",\"country\":\"DE\"},{\"name\":\"x\","
                     "\"keys\":[\"domain:way.example\"]}]}"},
    {PROTO_OP_IMPORT_LIST, "{}"},
    {PROTO_OP_AUDIT, "{\"limit\":9}"},
    {PROTO_OP_IDENTITY, "{\"entries\":[{\"act\":\"merge\",\"account\":\"a17\",\"other\":\"a18\","
                        "\"reason\":\"same\"}],\"operation\":\"o5\"}"},
    {PROTO_OP_IDENTITY, "{\"entries\":[{\"act\":\"merge\",\"account\":\"a17\",\"other\":\"a18\","
                        "\"reason\":\"same\"}],\"operation\":\"o5\"}"},
    {PROTO_OP_ACCOUNT_GET, "{\"id\":\"a18\",\"names\":true}"},
    {PROTO_OP_IDENTITY_LIST, "{\"id\":\"a17\",\"names\":true}"},
    {PROTO_OP_IDENTITY, "{\"entries\":[{\"act\":\"undo\",\"entry\":1}]}"},
    {PROTO_OP_IDENTITY_LIST, "{\"limit\":1}"},
    {PROTO_OP_IDENTITY_LIST, "{}"},
    {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"operation\":\"o6\",\"progress\":true}"},
    {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"operation\":\"o6\",\"progress\":true}"},
    {PROTO_OP_ICP_GET, "{}"},
    {PROTO_OP_ICP_ACTIVATE, "{\"icp\":2,\"reason\":\"better\",\"operation\":\"o7\"}"},
    {PROTO_OP_ICP_ACTIVATE, "{\"icp\":2,\"reason\":\"better\",\"operation\":\"o7\"}"},
    {PROTO_OP_ICP_REVERT, "{\"operation\":\"o8\"}"},
    {PROTO_OP_ICP_REVERT, "{\"operation\":\"o8\"}"},
    {PROTO_OP_ICP_LIST, "{}"},
    {PROTO_OP_ICP_WHAT_IF, "{\"icp\":2,\"by\":\"industry\",\"names\":true}"},
    {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"value\":\"employees\"}"},
    {PROTO_OP_ICP_WHAT_IF, "{\"icp\":3,\"against\":1,\"by\":\"industry\"}"},
    {PROTO_OP_ICP_WHAT_IF, "{\"icp\":1,\"against\":3,\"by\":\"industry\"}"},
    {PROTO_OP_SCORE, "{\"id\":\"a1\",\"icp\":3,\"value\":true,\"names\":true}"},
    {PROTO_OP_EXPLAIN, "{\"id\":\"a1\",\"icp\":3,\"value\":true}"},
    {PROTO_OP_ICP_DRIFT, "{\"label\":\"won = 1\"}"},
    {PROTO_OP_CHALLENGE,
     "{\"condition\":\"employees > 10\",\"claim\":\"in\",\"operation\":\"o15\"}"},
    {PROTO_OP_CHALLENGE,
     "{\"condition\":\"employees > 10\",\"claim\":\"in\",\"operation\":\"o15\"}"},
    {PROTO_OP_CHALLENGE, "{\"field\":\"industry\"}"},
    {PROTO_OP_CHALLENGE_LIST, "{\"limit\":1}"},
    {PROTO_OP_CHALLENGE_SHOW, "{\"number\":2,\"again\":true}"},
    {PROTO_OP_CHALLENGE_TRY, "{\"slice\":\"employees > 10\"}"},
    {PROTO_OP_SEGMENT_FIND, "{}"},
    {PROTO_OP_SEGMENT_PUT, "{\"name\":\"s\",\"filter\":\"employees > 10\",\"operation\":\"o71\"}"},
    {PROTO_OP_SEGMENT_PUT, "{\"name\":\"s\",\"filter\":\"employees > 10\",\"operation\":\"o71\"}"},
    {PROTO_OP_SEGMENT_PUT, "{\"name\":\"s\",\"filter\":\"employees > 5\",\"dry_run\":true}"},
    {PROTO_OP_SEGMENT_LIST, "{\"frontier\":true,\"outcome\":\"won = 1\"}"},
    {PROTO_OP_SEGMENT_GET, "{\"name\":\"s\",\"outcome\":\"won = 1\"}"},
    {PROTO_OP_ICP_WHAT_IF, "{\"icp\":2,\"by\":\"segment\"}"},
    {PROTO_OP_SCORE, "{\"values\":{\"employees\":70}}"},
    {PROTO_OP_EXPLAIN, "{\"values\":{\"employees\":70}}"},
    {PROTO_OP_SCORE_MANY, "{\"icp\":3,\"leads\":[{\"id\":\"a1\"}],\"value\":true}"},
    {PROTO_OP_SEGMENT_PUT, "{\"name\":\"s\",\"drop\":true}"},
    {PROTO_OP_SEGMENT_LIST, "{\"all\":true}"},
    {PROTO_OP_SEGMENT_GET, "{\"name\":\"s@2\"}"},
    {PROTO_OP_SCORE, "{\"id\":\"a1\"}"},
    {PROTO_OP_SCORE, "{\"id\":\"a1\",\"reasons\":3}"},
    {PROTO_OP_SCORE, "{\"values\":{\"employees\":7,\"nonsense\":1},\"reasons\":2}"},
    {PROTO_OP_SCORE_MANY, "{\"ids\":[\"a1\",\"nobody\"],\"names\":true}"},
    {PROTO_OP_SCORE_MANY, "{\"leads\":[{\"id\":\"a1\"},{\"id\":\"a1\",\"key\":\"crm:1\"}]}"},
    {PROTO_OP_EXPLAIN, "{\"id\":\"a1\"}"},
    {PROTO_OP_EXPLAIN, "{\"values\":{\"employees\":7,\"nonsense\":1},\"shapes\":9}"},
    {PROTO_OP_FILTER, "{\"filter\":\"employees > 1\",\"fields\":[\"industry\"],\"scores\":true,"
                      "\"names\":true,\"limit\":2}"},
    {PROTO_OP_COUNT, "{\"filter\":\"employees > 1\"}"},
    {PROTO_OP_SIMILAR_BUILD, "{\"metric\":\"cosine\",\"weights\":{\"employees\":2}}"},
    {PROTO_OP_SIMILAR_PLAN, "{}"},
    {PROTO_OP_SIMILAR, "{\"positives\":[{\"id\":\"a1\"}],\"names\":true}"},
    {PROTO_OP_SIMILAR, "{\"positives\":[{\"values\":{\"industry\":\"Steel\",\"employees\":5}}]}"},
    {PROTO_OP_RECALL, "{\"n\":5}"},
    {PROTO_OP_TAL_BUILD,
     "{\"name\":\"ten\",\"k\":10,\"segments\":[{\"name\":\"s\",\"quota\":9}],"
     "\"owners\":[{\"name\":\"ann\",\"capacity\":5}],\"note\":\"n\",\"operation\":\"o9\"}"},
    {PROTO_OP_TAL_BUILD,
     "{\"name\":\"ten\",\"k\":10,\"segments\":[{\"name\":\"s\",\"quota\":9}],"
     "\"owners\":[{\"name\":\"ann\",\"capacity\":5}],\"note\":\"n\",\"operation\":\"o9\"}"},
    {PROTO_OP_TAL_BUILD, "{\"name\":\"five\",\"k\":5,\"filter\":\"employees > 10\"}"},
    {PROTO_OP_TAL_BUILD, "{\"name\":\"drawn\",\"k\":40,\"icp\":2,\"hold_out\":0.5,"
                         "\"seed\":\"monday\",\"sample\":9,\"last_icp\":1}"},
    {PROTO_OP_TAL_LIST, "{}"},
    {PROTO_OP_TAL_GET, "{\"name\":\"drawn\"}"},
    {PROTO_OP_TAL_GET, "{\"name\":\"drawn\",\"part\":\"sample\"}"},
    {PROTO_OP_TAL_ACCOUNT, "{\"name\":\"drawn\",\"id\":\"nobody\"}"},
    {PROTO_OP_TAL_ACCOUNT, "{\"name\":\"drawn\",\"id\":\"a1\"}"},
    {PROTO_OP_TAL_ACCOUNT, "{\"name\":\"drawn\",\"id\":\"a2\"}"},
    {PROTO_OP_TAL_GET, "{\"name\":\"ten\",\"names\":true}"},
    {PROTO_OP_TAL_GET, "{\"name\":\"ten\",\"document\":true}"},
    {PROTO_OP_TAL_DIFF, "{\"a\":\"ten\",\"b\":\"five\",\"names\":true}"},
    {PROTO_OP_ACCOUNT_PATCH, "{\"accounts\":[{\"id\":\"a1\",\"values\":{\"employees\":1}}]}"},
    {PROTO_OP_TAL_CHECK, "{\"name\":\"ten\",\"names\":true}"},
    {PROTO_OP_EVENT_APPEND, "{\"source\":\"crm\",\"operation\":\"o10\",\"import_id\":\"i1\","
                            "\"events\":[" EVENT(
                                "s"
                                "t"
                                "a"
                                "g"
                                "e",
                                "e"
                                "1",
                                "\"kind\":\"created\",\"subject\":\"d1\",\"time\":0") "," EVENT("ou"
                                                                                                "tc"
                                                                                                "om"
                                                                                                "e",
                                                                                                "e"
                                                                                                "2",
                                                                                                "\""
                                                                                                "ki"
                                                                                                "nd"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "wo"
                                                                                                "n"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "su"
                                                                                                "bj"
                                                                                                "ec"
                                                                                                "t"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "d1"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "ti"
                                                                                                "me"
                                                                                                "\""
                                                                                                ":1"
                                                                                                "00"
                                                                                                "0,"
                                                                                                "\""
                                                                                                "mo"
                                                                                                "ti"
                                                                                                "on"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "pl"
                                                                                                "g"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "fu"
                                                                                                "nc"
                                                                                                "ti"
                                                                                                "on"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "sa"
                                                                                                "le"
                                                                                                "s"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "ca"
                                                                                                "mp"
                                                                                                "ai"
                                                                                                "gn"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "c"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "pe"
                                                                                                "rs"
                                                                                                "on"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "p"
                                                                                                "\"") "," EVENT("subscription",
                                                                                                                "e3",
                                                                                                                "\"subject\":\"s1\",\"label\":\"pro\",\"time\":2000,"
                                                                                                                "\"amount\":1200,\"currency\":\"USD\",\"months\":12,\"end\":63000000000") "," EVENT("subscription", "e4", "\"kind\":\"trial\",\"subject\":\"s2\",\"time\":2000,\"amount\":0,\"currency\":\"USD\",\"months\":1") "," EVENT("outcome",
                                                                                                                                                                                                                                                                                                                                          "e5", "\"kind\":\"nps\",\"quantity\":9000,\"time\":3000") "," EVENT("touch",
                                                                                                                                                                                                                                                                                                                                                                                                              "e6", "\"kind\":\"email\",\"time\":4000") "," EVENT("touch", "e9", "\"time\":4500") "," EVENT("stage",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "e7",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "\"kind\":\"created\",\"subject\":\"d2\",\"time\":80000000") "]}"},
    {PROTO_OP_EVENT_APPEND, "{\"source\":\"crm\",\"operation\":\"o11\",\"events\":[" EVENT(
                                "retraction", "e8", "\"retracts\":\"e6\",\"time\":5000") "]}"},
    {PROTO_OP_EVENT_APPEND, "{\"source\":\"crm\",\"operation\":\"o11\",\"events\":[" EVENT(
                                "retraction", "e8", "\"retracts\":\"e6\",\"time\":5000") "]}"},
    {PROTO_OP_TIMELINE, "{\"id\":\"way\",\"limit\":1}"},
    {PROTO_OP_TIMELINE, "{\"id\":\"way\",\"all\":true}"},
    {PROTO_OP_EVENT_QUERY, "{\"by\":\"industry\",\"sum\":\"amount\",\"members\":[\"kind\"]}"},
    {PROTO_OP_MEASURE_LIST, "{}"},
    {PROTO_OP_MEASURE, "{\"measure\":\"mrr\",\"parameters\":{\"from\":\"1970-01-01\","
                       "\"to\":\"1970-06-01\"}}"},
    {PROTO_OP_MEASURE, "{\"measure\":\"bridge\",\"parameters\":{\"from\":\"1970-01-01\","
                       "\"to\":\"1970-06-01\"},\"against\":{\"trials\":\"counted\"}}"},
    {PROTO_OP_METRIC_PUT, "{\"definition\":\"" DEFINITION("apart") "\",\"operation\":\"o16\"}"},
    {PROTO_OP_METRIC_PUT, "{\"definition\":\"" DEFINITION("apart") "\",\"operation\":\"o16\"}"},
    {PROTO_OP_METRIC_PUT, "{\"definition\":\"" DEFINITION("within") "\"}"},
    {PROTO_OP_METRIC_GET, "{\"name\":\"board@1\"}"},
    {PROTO_OP_METRIC_LIST, "{\"all\":true}"},
    {PROTO_OP_PLAN_ADD, PLAN},
    {PROTO_OP_PLAN_ADD, PLAN},
    {PROTO_OP_PLAN_GET, "{\"name\":\"year\"}"},
    {PROTO_OP_PLAN_LIST, "{}"},
    {PROTO_OP_LIFECYCLE, "{\"id\":\"way\",\"at\":9000000}"},
    {PROTO_OP_SCORE, "{\"id\":\"way\",\"engagement\":\"usual\"}"},
    {PROTO_OP_EXPLAIN, "{\"id\":\"way\",\"engagement\":\"usual@1\"}"},
    {PROTO_OP_VIEW,
     "{\"views\":[\"sales\",\"marketing\",\"success\",\"product\",\"finance\",\"grid\"],"
     "\"parameters\":{\"as-of\":9000000}}"},
    {PROTO_OP_MEASURE, "{\"measure\":\"grid\",\"parameters\":{\"as-of\":9000000}}"},
    {PROTO_OP_CARD, "{\"id\":\"way\",\"at\":9000000}"},
    {PROTO_OP_CHANGES, "{\"since\":0,\"limit\":1}"},
    {PROTO_OP_LABEL, "{\"policy\":\"" POLICY "\",\"limit\":1,\"names\":true,\"at\":200000000}"},
    {PROTO_OP_LABEL, "{\"policy\":\"" POLICY "\",\"names\":true,\"at\":200000000}"},
    {PROTO_OP_LABEL, "{\"policy\":\"" STAGES "\",\"at\":200000000}"},
    {PROTO_OP_VERDICT,
     "{\"name\":\"drawn\",\"policy\":\"" POLICY "\",\"since\":0,\"weekly\":true}"},
    {PROTO_OP_EROSION, "{\"name\":\"five\",\"committed\":0.999,\"false_alarm\":2,\"since\":0}"},
    {PROTO_OP_EROSION, "{\"name\":\"drawn\",\"committed\":0.001,\"since\":0}"},
    {PROTO_OP_IMPORT_UNDO, "{\"import_id\":\"i1\",\"operation\":\"o12\",\"progress\":true}"},
    {PROTO_OP_IMPORT_UNDO, "{\"import_id\":\"i1\",\"operation\":\"o12\",\"progress\":true}"},
    {PROTO_OP_BACKUP, "{\"name\":\"nightly\"}"},
    {PROTO_OP_SCRUB, "{}"},
    {PROTO_OP_JOB_LIST, "{}"},
    {PROTO_OP_ACCOUNT_DELETE, "{\"ids\":[\"a2\"],\"operation\":\"o13\"}"},
    {PROTO_OP_ACCOUNT_DELETE, "{\"ids\":[\"a2\"],\"operation\":\"o13\"}"},
    /* A list whose filter names a field that is gone. */
    {PROTO_OP_SCHEMA_PUT,
     "{\"document\":\"{\\\"fields\\\":[{\\\"name\\\":\\\"won\\\",\\\"type\\\":\\\"flag\\\"}]}\"}"},
    {PROTO_OP_TAL_CHECK, "{\"name\":\"five\"}"},
};

const size_t replies_asked_count = sizeof replies_asked / sizeof *replies_asked;
