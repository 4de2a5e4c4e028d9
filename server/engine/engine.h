/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: every use case of icpd, without sockets and without MessagePack. It joins the store,
 * the schema and ICP versions and the jobs.
 *
 * An engine is made by engine_create.h, written to by ingest.h. Threads: an engine_worker belongs
 * to one thread; all other calls are safe from any thread. Faults follow proto/fault.h. Ownership
 * is stated at each call. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "server/engine/lists.h"
#include "server/feature/record.h"
#include "server/learn/document.h"

struct engine;
struct engine_definitions;
struct engine_segments;
struct engine_labels;
struct engine_past_value;
struct engine_scores;
struct engine_version;
struct engine_worker;
struct store_commit;
struct store_view;

/* No account. Slots are numbers of accounts within one engine; no other knows them. */
#define ENGINE_NO_SLOT UINT32_MAX

int64_t engine_now_ms(const struct engine *engine);

/* An operation by the id that the client gave it (ids of 0 bytes: none), with a digest of its
 * request: one that is repeated is applied once, the same id with another digest is refused with
 * PROTO_CONFLICT. */
#define ENGINE_AUTHOR_BYTES 256 /* with the zero */
struct engine_operation {
    struct proto_span id;
    uint64_t digest;
    char author[ENGINE_AUTHOR_BYTES]; /* who asks for it, for the audit; "" if nobody is known */
};

/* Who is told of each commit (store.h), on the writer thread: BEGIN, then DONE or FAILED, to those
 * that follow in the order in which they joined. on_commit must not block, follow or unfollow. */
struct engine_follower {
    void *context; /* also names the follower */
    void (*on_commit)(void *context, const struct store_commit *commit);
};
/* Copies *follower. Every commit that a view opened from here on has not seen will be told of; a
 * commit under way is waited for. PROTO_LIMIT if too many follow. */
bool engine_follow(struct engine *engine, const struct engine_follower *follower,
                   struct proto_fault *fault);
/* After it nobody is told with this context; one that does not follow is fine. */
void engine_unfollow(struct engine *engine, const void *context);

/* What is known of schemas and ICP versions at one moment; immutable, reference counted. */
struct engine_state {
    struct feature_schema *schema;   /* current, NULL if none */
    struct learn_document *active;   /* NULL if none */
    struct feature_schema **schemas; /* by version - 1 */
    size_t schema_count;
    struct engine_version *
        *versions; /* by version - 1; opened when they are asked for (version.h) */
    size_t document_count;
    uint32_t active_version; /* 0: none; active is NULL beside it where that one cannot be used */
    struct engine_lists *lists;             /* target account lists; NULL if none */
    struct engine_definitions *definitions; /* of metrics (definitions.h); NULL if none */
    struct engine_segments *segments;       /* named predicates (segments.h); NULL if none */
    struct engine_labels
        *labels; /* of accounts, by segments (labels.h); NULL if none is in force */
    struct engine_scores *scores; /* raw scores of the active version (scores.h); may be NULL */
    uint64_t generation;
    int references;
};

struct engine_state *engine_state_get(struct engine *engine); /* retained: release it */
void engine_state_release(struct engine_state *state);
/* Version 0 means the active one. NULL with *fault (PROTO_NO_ICP, PROTO_NOT_FOUND,
 * PROTO_BAD_DOCUMENT, PROTO_CORRUPT). Opens the document if nobody has asked for it before. */
struct learn_document *engine_state_document(const struct engine_state *state, uint64_t version,
                                             struct proto_fault *fault);

/* Whether the account is on a target account list that the active ICP version built: one load. */
static inline bool engine_state_on_tal(const struct engine_state *state, uint32_t slot)
{
    return engine_lists_has(state->lists, slot);
}
/* Whether one that is on none of them may be on a list that is damaged. */
static inline bool engine_state_tal_unsure(const struct engine_state *state)
{
    return engine_lists_unsure(state->lists);
}
/* Slots of the list of that name, or, for an empty name, of all lists of the active version; false
 * with *fault if there is no such list (PROTO_NOT_FOUND) or a damaged one may be it
 * (PROTO_CORRUPT). Borrowed from the state. */
bool engine_state_list_slots(const struct engine_state *state, struct proto_span name,
                             const uint32_t **slots, size_t *count, struct proto_fault *fault);

/* Workers. */
struct engine_worker *engine_worker_create(struct engine *engine, struct proto_fault *fault);
void engine_worker_destroy(struct engine_worker *worker);
/* Takes the newest committed data and state; cheap when nothing changed. Everything got from the
 * worker before (state, records, answers) ends here. */
bool engine_worker_refresh(struct engine_worker *worker, struct proto_fault *fault);
/* Lets go of the snapshot while the worker is idle, so that the store can reuse pages. */
void engine_worker_rest(struct engine_worker *worker);
const struct engine_state *engine_worker_state(const struct engine_worker *worker);
struct store_view *engine_worker_view(struct engine_worker *worker);
/* What the worker sees: the last log sequence in it, and how many accounts. */
uint64_t engine_worker_seq(const struct engine_worker *worker);
uint64_t engine_worker_accounts(const struct engine_worker *worker);

/* How an account is named: at most one of the three is not empty. */
struct engine_name {
    struct proto_span id;
    struct proto_span key;
    struct proto_span email;
};

/* Slot of the account named, ENGINE_NO_SLOT if there is none (fault untouched) or on a fault
 * (fault->code set; callers set it to PROTO_OK before). An email address finds the account that has
 * the key domain:HOST, HOST being the address's domain or else its registrable domain; free-mail
 * providers find nothing. */
uint32_t engine_find(struct engine_worker *worker, const struct engine_name *name,
                     struct proto_fault *fault);

/* The record of a slot; false with PROTO_NOT_FOUND for a deleted one, PROTO_CORRUPT. Valid until
 * the worker is refreshed or rests, as all that comes from it. */
bool engine_record(struct engine_worker *worker, uint32_t slot, struct feature_record *record,
                   struct proto_fault *fault);
/* Slots and rows of many primary ids, as engine_score_row wants them; rows[i] is NULL where there
 * is none to be had. */
void engine_rows_find(struct engine_worker *worker, const struct proto_span *ids, size_t count,
                      uint32_t *slots, const uint8_t **rows);
/* A stored schema document; false if there is none of that version. */
bool engine_schema_text(struct engine_worker *worker, uint64_t version, struct proto_span *text);

/* One switch of the active ICP version. */
struct engine_switch {
    uint32_t version;
    int64_t time_ms;
    struct proto_span reason;
};
/* All of them, oldest first. */
bool engine_switches(struct engine_worker *worker,
                     void (*each)(void *context, const struct engine_switch *change), void *context,
                     struct proto_fault *fault);

struct engine_query {
    struct engine_name name;
    const struct feature_value *values; /* laid over the stored ones; by field id; NULL: none */
    size_t value_slots;
    const struct learn_document *document; /* scores with this */
    unsigned reasons;                      /* contributions of each sign to give; 0: score only */
    bool bare; /* reasons as parts alone: whoever asks has their texts, or wants none */
    /* Of a moment of before (before.h): values by field id in the place of the stored ones, as many
     * as the schema has ids, and the time by which they are stale; NULL: as it is now. */
    const struct engine_past_value *was;
    int64_t was_ms;
};

/* A part of the raw score in words. */
struct engine_reason {
    const char *field;   /* of the document */
    const char *field_b; /* second field of a pair, else NULL */
    char value[96];      /* the bin in words, cut to fit */
    char value_b[96];
    int32_t contribution; /* millionths of a logit */
};

struct engine_answer {
    bool found;
    uint8_t label; /* the segment (labels.h); 0: none is in force */
    uint32_t slot;
    int64_t raw;
    double p;
    double fit;
    char grade;
    /* With reasons: strongest first, positive and negative mixed. Valid until the next score of the
     * worker. */
    struct proto_span id;
    const struct model_part *parts;
    size_t part_count;
    const struct engine_reason *reasons; /* of the parts; none if the query is bare */
    size_t reason_count;
    int64_t rest;
    const struct proto_span *missing;
    size_t missing_count;
    const struct proto_span *stale;
    size_t stale_count;
    double fit_low, fit_high;
};

/* The words of one part, which depend on document and part->entry alone: what is made of them can
 * be kept. part is one of an answer of that document. Cost: microseconds. */
void engine_reason_fill(const struct learn_document *document, const struct model_part *part,
                        struct engine_reason *reason);

/* PROTO_NOT_FOUND if the name finds no account and there are no values to score instead, or the
 * value that a field of the document had is not kept. */
bool engine_score(struct engine_worker *worker, const struct engine_query *query,
                  struct engine_answer *answer, struct proto_fault *fault);
/* As engine_score, of a stored account that has been found by its id already (query->name.id): its
 * row is usable and codes is that row. With ENGINE_NO_SLOT codes are those of a lead that names no
 * account. */
bool engine_score_row(struct engine_worker *worker, const struct engine_query *query, uint32_t slot,
                      const uint8_t *codes, struct engine_answer *answer,
                      struct proto_fault *fault);
/* The scores of one row or of a raw value, as engine_score fills them. */
void engine_answer_from_raw(const struct learn_document *document, int64_t raw,
                            struct engine_answer *answer);
/* True if rows of the store can be scored with this document as they are. */
bool engine_rows_usable(struct engine_worker *worker, const struct learn_document *document);

/* Raw scores of up to ENGINE_RAW_GROUP accounts by primary id, for who asks for many: memory
 * latency is paid once for all. known[i] tells whether slots[i] and raws[i] are set; what is not
 * known (no such account, no row yet, damaged) is for engine_score to answer. False: rows are of
 * another codebook, nothing is known. Cost: some 30 ns an id with the scores in memory, 90 without,
 * 1 M accounts. */
#define ENGINE_RAW_GROUP 64
struct engine_raw {
    uint32_t slots[ENGINE_RAW_GROUP];
    int64_t raws[ENGINE_RAW_GROUP];
    bool known[ENGINE_RAW_GROUP];
};
bool engine_raw_many(struct engine_worker *worker, const struct learn_document *document,
                     const struct proto_span *ids, size_t count, struct engine_raw *raw);
/* Such a look-up is about to be made: begins to load what it needs, first with step 0, and with
 * step 1 when that may have come. */
void engine_raw_peek(const struct engine_worker *worker, struct proto_span id, unsigned step);

/* Lanes: threads and queues of work that must not run on an event loop; lane.def is their table. */
enum engine_lane_id {
#define X(NAME, name, threads, queued_max, bytes_max, past_max, nice, together_max, view, help)    \
    ENGINE_LANE_##NAME,
#include "server/engine/lane.def"
#undef X
    ENGINE_LANES
};
enum {
    ENGINE_LANE_THREADS = 0 /* of all lanes; each has a place from 0 */
#define X(NAME, name, threads, queued_max, bytes_max, past_max, nice, together_max, view, help)    \
    +threads /* NOLINT(bugprone-macro-parentheses) */
#include "server/engine/lane.def"
#undef X
};
enum { ENGINE_TOGETHER_MAX = 16 }; /* scans in one call, of any lane */
/* Replies to one owner that are worked out in one call, unless one alone is larger: only after it
 * is it known whether they are read. */
#define ENGINE_REPLIES_BYTES ((size_t)1 << 19)
/* The worker of a lane's thread, for that thread alone; NULL if its lane has no views. */
struct engine_worker *engine_lane_worker(struct engine *engine, unsigned place);

/* Work of the lanes: jobs, which are remembered for a while, and scans while they wait and run. */
enum engine_job_state {
    ENGINE_JOB_QUEUED,
    ENGINE_JOB_RUNNING,
    ENGINE_JOB_DONE,
    ENGINE_JOB_FAILED,
    ENGINE_JOB_CANCELLED,
};

struct engine_job_info {
    uint64_t job;
    enum proto_op op;
    enum engine_job_state state;
    char stage[48];
    double done; /* 0 … 1 */
    int64_t started_ms, ended_ms;
    unsigned place;           /* of the lane's thread that ended it */
    uint32_t icp;             /* version made, 0 if none */
    bool repeated;            /* it was made before, by the same operation */
    struct proto_fault fault; /* of a failed job */
};

const char *engine_job_state_name(enum engine_job_state state);
/* Copies at most `most` infos, newest of a lane first, those that live before those that have
 * ended; returns how many. */
size_t engine_jobs(struct engine *engine, struct engine_job_info *infos, size_t most);
/* The server is about to stop: cancels every job that waits or runs. Scans go on until that moment
 * of the wall clock, and are then answered PROTO_SHUTTING_DOWN. */
void engine_jobs_cancel(struct engine *engine, int64_t scans_until_ms);
/* Nobody waits for the scans of this owner any more: they are cancelled. */
void engine_scans_end(struct engine *engine, uint64_t owner);
/* Refuses those of that owner that wait for a sequence, as if their time were over. */
void engine_waits_end(struct engine *engine, uint64_t owner);
/* PROTO_NOT_FOUND if there is no such job or it has ended. */
bool engine_job_cancel(struct engine *engine, uint64_t job, struct proto_fault *fault);

/* A model from elsewhere that becomes a version (learn/adopt.h). All texts are copied. */
struct engine_adopt {
    struct proto_span document; /* with the model; label, evidence and reference are made anew */
    struct proto_span label, where;
    bool activate;
    struct engine_operation operation; /* at most PROTO_OPERATION_BYTES_MAX */
    int64_t deadline_ms;               /* as of engine_learn, and so are the callbacks */
    void (*on_progress)(void *context, const struct engine_job_info *info);
    void (*on_done)(void *context, const struct engine_job_info *info);
    void *context;
};

/* Checks the document and the expressions at once, then queues the job and returns its number; 0
 * with *fault, and then no callback runs. */
uint64_t engine_adopt(struct engine *engine, const struct engine_adopt *adopt,
                      struct proto_fault *fault);

struct engine_case_source;
struct measure_floors;

/* Learning. All texts are copied. */
struct engine_learn {
    /* learn_case.h; NULL: the label says what is positive. What it points to is taken. */
    const struct engine_case_source *cases;
    const struct measure_floors *floors; /* measure/readiness_floor.h; NULL: the usual ones */
    bool despite_readiness;              /* learn below them all the same */
    struct proto_span label, where, name, time_field, weight_field, value_field;
    const struct proto_span *fields; /* NULL: all */
    size_t field_count;
    const struct proto_span *exclude;
    size_t exclude_count;
    const struct proto_span *keep; /* learned from although suspected leaks, with a warning */
    size_t keep_count;
    const struct proto_span
        *rising; /* numbers whose points never fall as they grow, or never rise */
    size_t rising_count;
    const struct proto_span *falling;
    size_t falling_count;
    uint64_t seed;
    unsigned pairs_max;
    bool activate;
    struct engine_operation operation; /* at most PROTO_OPERATION_BYTES_MAX */
    int64_t deadline_ms;               /* wall clock by which the job must have begun; 0: none */
    /* Both run on the job's thread. on_progress may be NULL. on_done runs once, whatever happens,
     * also for a job that is cancelled before it began; info->state tells. */
    void (*on_progress)(void *context, const struct engine_job_info *info);
    void (*on_done)(void *context, const struct engine_job_info *info);
    void *context;
};

/* Checks label, where and field names at once (PROTO_BAD_FILTER, PROTO_BAD_FIELD, PROTO_NO_SCHEMA),
 * then queues the job and returns its number; 0 with *fault (also PROTO_BUSY), and then no callback
 * runs. */
uint64_t engine_learn(struct engine *engine, const struct engine_learn *learn,
                      struct proto_fault *fault);

/* Scans: requests of SCAN, SEARCH, MEASURE and QUERY, with a worker of the lane's thread. They
 * never wait for a job, and no event loop waits for them. */
struct engine_job;

struct engine_scan {
    enum proto_op op;
    enum engine_lane_id lane;
    uint64_t owner;        /* the connection, whatever names it: lanes are fair by owner */
    size_t bytes;          /* that it keeps while it waits and runs */
    size_t reply_bytes;    /* about, of one that runs with others: see ENGINE_REPLIES_BYTES */
    int64_t deadline_ms;   /* wall clock by which it must have ended; 0: none */
    uint64_t min_seq;      /* it begins when this is applied; 0: whenever its turn comes */
    int64_t wait_until_ms; /* wall clock until which it waits for that; then PROTO_BEHIND */
    void *context;
    /* On the lane's thread, with its worker refreshed and the job to ask whether to go on. */
    bool (*run)(void *context, struct engine_worker *worker, struct engine_job *job,
                struct proto_fault *fault);
    /* NULL, or how scans that wait with the same function are run together (lane.def):
     * contexts and jobs of each, whose results it fills. */
    void (*run_many)(void *const *contexts, struct engine_job *const *jobs, size_t count,
                     struct engine_worker *worker, bool *oks, struct proto_fault *faults);
    /* Once, whatever happens, also for a scan that never began; info->fault tells. */
    void (*on_done)(void *context, const struct engine_job_info *info);
};

/* How far this node is (applied.h): the sequence that it has applied, the age of what it knows in
 * ms (0 where it follows nobody), and the log that it follows (0: none but its own). */
uint64_t engine_applied(const struct engine *engine);
uint64_t engine_age_ms(const struct engine *engine);
/* The age of what the worker's view shows, which others may have passed since it was refreshed. */
uint64_t engine_worker_age_ms(const struct engine_worker *worker);
/* Whether this node is not to be read, and *fault says why: PROTO_BEHIND. */
bool engine_refuses(const struct engine *engine, struct proto_fault *fault);
uint64_t engine_log_id(const struct engine *engine);
/* False with PROTO_BEHIND. */
bool engine_has_applied(const struct engine *engine, uint64_t seq, struct proto_fault *fault);
bool engine_is_young(const struct engine *engine, uint64_t age_ms_max, struct proto_fault *fault);

/* Copies *scan and queues it. False with *fault (PROTO_BUSY, PROTO_SHUTTING_DOWN, PROTO_NO_MEMORY),
 * and then no callback runs. */
bool engine_scan(struct engine *engine, const struct engine_scan *scan, struct proto_fault *fault);
/* From run(), every few thousand rows: false with *fault (PROTO_CANCELLED, PROTO_DEADLINE) if the
 * scan is to end. job NULL: always true. */
bool engine_scan_goes_on(const struct engine_job *job, struct proto_fault *fault);
/* From run(): it must have ended by then (wall clock, 0: whenever), if that is sooner than what was
 * said when it was queued. */
void engine_scan_until(struct engine_job *job, int64_t deadline_ms);

#endif
