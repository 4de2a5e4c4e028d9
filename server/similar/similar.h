/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-alike search: the vectors of all accounts, and who is nearest to an example.
 *
 * Purpose. A set holds one vector per account id and answers "the k most similar", exactly by
 * default, or approximately with a recall target when asked. Vectors come in and go out one at a
 * time, in microseconds, and are visible at once.
 *
 * Shapes and units. A vector is `dim` floats, 1 <= dim <= SIMILAR_DIM_MAX, all finite, of norm
 * at most SIMILAR_NORM_MAX. An id is 32 bits (the account's slot); SIMILAR_ID_NONE is reserved.
 * Similarity is a double, higher is closer, and depends on the two vectors alone:
 *
 *     cosine   <x,y> / (|x| |y|)       in [-1, 1]; 0 when either vector is zero
 *     dot      <x,y>                   any finite number
 *     L2       1 / (1 + |x - y|)       in (0, 1]
 *
 * similar_pair() is the definition; every search returns exactly its values. Answers are ordered
 * by similarity, highest first, equal ones by id, lowest first. An exact search returns what
 * brute force with similar_pair() over the stored floats returns, always: the int8 scan that it
 * runs on carries a proven error bound, and only the rest is settled on the floats.
 *
 * Ownership. The set owns its directory (pointers, counts, places of ids: about 5 bytes an id up
 * to the highest id, plus 24 bytes for 128 vectors). The vectors live in blocks of fixed layout
 * (similar_block.h) whose memory the caller supplies through `struct similar_source`; blocks can
 * be memory-mapped. Query vectors, filters, and id lists are borrowed for the call.
 *
 * Errors. Functions return enum similar_status; on any error the set is as it was. Nothing here
 * prints, aborts on input, or touches files or sockets.
 *
 * Threads. Searches on one set may run at the same time, each with a scratch of its own. A change
 * (insert, remove, balance, block moved) needs the set to itself; it takes microseconds except
 * balance, which says how long. Building makes a new set and leaves the old one answering.
 *
 * Cost. With N vectors of D padded dimensions: exact search reads N * (D + 12) bytes, in one pass
 * for any number of waiting queries; approximate search reads about 2 sqrt(N) * D bytes for the
 * coarse step and 4 + D/8 bytes for each vector in the lists that it probes.
 *
 * Source. Jegou, Douze, Schmid 2011 (inverted lists); Gao and Long 2024 (RaBitQ: one bit per
 * dimension with an unbiased estimate and a bound); Andre, Kermarrec, Le Scouarnec 2015 (look-up
 * in registers). Deviations are listed where they are made: similar_encode.h, similar_probe.c,
 * similar_calibrate.c.
 */
#ifndef ICP_SIMILAR_H
#define ICP_SIMILAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum similar_limit {
    SIMILAR_DIM_MAX = 2048,      /* A look-up sum must fit 16 bits: 2048 / 4 groups * 63. */
    SIMILAR_K_MAX = 10000,       /* The largest answer that the protocol carries. */
    SIMILAR_BATCH_MAX = 16,      /* Queries per kernel pass; longer batches run in groups. */
    SIMILAR_EXAMPLES_MAX = 1024, /* Positives and negatives of one composed query. */
    SIMILAR_LISTS_MAX = 65536,   /* Bounds the coarse step at about 1 ms. */
    SIMILAR_LEVELS = 3,          /* Depths that calibration measures: 10, 100, 1,000 neighbours. */
    SIMILAR_TARGETS = 6,         /* Recall targets that calibration measures. */
};

#define SIMILAR_ID_NONE UINT32_MAX
/* Squares of norms must stay far inside the range of a float. */
#define SIMILAR_NORM_MAX 1e15

enum similar_metric { SIMILAR_COSINE = 0, SIMILAR_DOT = 1, SIMILAR_L2 = 2 };

enum similar_status {
    SIMILAR_OK = 0,
    SIMILAR_ERROR_OPTION,     /* An option is outside its stated range. */
    SIMILAR_ERROR_NOT_FINITE, /* A vector holds NaN or infinity. */
    SIMILAR_ERROR_TOO_LARGE,  /* A vector's norm exceeds SIMILAR_NORM_MAX. */
    SIMILAR_ERROR_ID,         /* The id is SIMILAR_ID_NONE. */
    SIMILAR_ERROR_EXISTS,     /* Insert of an id that is present. */
    SIMILAR_ERROR_ABSENT,     /* Remove of an id that is not present. */
    SIMILAR_ERROR_NOT_EMPTY,  /* Build into a set that holds vectors. */
    SIMILAR_ERROR_MEMORY,     /* The allocator or the block source refused. */
    SIMILAR_ERROR_CORRUPT,    /* A block fails its checksum or contradicts the others. */
    SIMILAR_ERROR_VERSION,    /* A block was written by another version of the layout. */
};

/* The name of a status in words, for messages. Never NULL. */
const char *similar_status_text(enum similar_status status);

/*
 * The similarity of two vectors of `dim` floats, in double precision with a fixed order of
 * additions, so that the value is the same on every instruction set. Both vectors must be finite.
 */
double similar_pair(enum similar_metric metric, const float *x, const float *y, uint32_t dim);

/* Whether a vector may be stored or asked for: finite, and not too large. */
enum similar_status similar_check(const float *x, uint32_t dim);

/* What a block holds; see similar_block.h for the bytes. */
enum similar_kind {
    SIMILAR_KIND_META = 0,     /* One block: shape, counts, calibration. */
    SIMILAR_KIND_CENTROID = 1, /* Centres of 16 lists. */
    SIMILAR_KIND_CODE = 2,     /* 128 vectors: 1-bit codes, factors, ids. */
    SIMILAR_KIND_BYTE = 3,     /* The same 128 vectors as int8 with bounds. */
    SIMILAR_KIND_FLOAT = 4,    /* The same 128 vectors as the caller gave them. */
    SIMILAR_KIND_GRAPH = 5,    /* 64 vertices of the graph, if there is one. */
    SIMILAR_KINDS
};

/*
 * Where blocks live. All pointers stay valid until the block is freed or the caller announces a
 * move with similar_block_moved(). Every block begins 16 bytes past a 64-byte boundary: that is
 * where LMDB puts the value of an overflow page, and it leaves the data behind the 48-byte header
 * on cache lines.
 *   on_read   the block, or NULL when there is none (used by similar_open only).
 *   on_write  the block as writable memory with its present content, zeroed if it is new. The
 *             engine calls it before every change, so that the caller knows what to persist; it
 *             may return a private copy of a mapped block. NULL refuses the change.
 *   on_free   the block is not needed any more. May be NULL.
 */
struct similar_source {
    void *context;
    const void *(*on_read)(void *context, enum similar_kind kind, uint32_t number);
    void *(*on_write)(void *context, enum similar_kind kind, uint32_t number, size_t bytes);
    void (*on_free)(void *context, enum similar_kind kind, uint32_t number);
};

/* A source in plain memory, for tests, benches and small sets. */
struct similar_memory;
struct similar_memory *similar_memory_create(void);
void similar_memory_destroy(struct similar_memory *memory);
/* Borrowed: valid while `memory` lives. */
struct similar_source similar_memory_source(struct similar_memory *memory);
/* Bytes held in blocks of one kind. */
size_t similar_memory_bytes(const struct similar_memory *memory, enum similar_kind kind);

/*
 * How to run `count` independent tasks. A set behaves the same on any number of threads. `run`
 * may be NULL, which runs them in order on the calling thread.
 */
struct similar_parallel {
    void *context;
    void (*run)(void *context, uint32_t count, void (*task)(void *argument, uint32_t index),
                void *argument);
};

struct similar_options {
    uint32_t dim;
    enum similar_metric metric;
    uint64_t seed; /* Of the rotation and of k-means; the same seed makes the same set. */
    struct similar_source source;
    struct similar_parallel parallel;
    uint32_t list_count; /* Lists that a build makes; 0 = 2 sqrt(N), 1 = no partitions. */
    uint64_t
        graph_bytes_max; /* Memory that a graph may take; 0 = there is none, whatever is stored. */
    /* Asked between steps of a build; true stops it with SIMILAR_ERROR_OPTION. May be NULL. */
    bool (*on_cancel)(void *context);
    void *cancel_context;
};

struct similar_set;

/* An empty set. NULL on an error, which `status` (may be NULL) names. Caller destroys. */
struct similar_set *similar_create(const struct similar_options *options,
                                   enum similar_status *status);
/*
 * The set that the blocks of `options->source` hold. Reads headers and ids (4 bytes a vector), no
 * vectors; with `verify` it also checks every block's checksum, which reads everything.
 */
struct similar_set *similar_open(const struct similar_options *options, bool verify,
                                 enum similar_status *status);
void similar_destroy(struct similar_set *set);
/* Another on_cancel, NULL for none: its context need not live as long as the set. */
void similar_cancel_set(struct similar_set *set, bool (*on_cancel)(void *context), void *context);

/*
 * Where a build reads vectors: row `index` of `count`, its id through `id`. Rows are borrowed and
 * read several times, in any order, by as many threads as options.parallel runs.
 */
struct similar_input {
    void *context;
    uint64_t count;
    const float *(*on_row)(void *context, uint64_t index, uint32_t *id);
};

/*
 * Partitions, encodes and stores all rows of `input` into the empty `set`, and calibrates. On an
 * error the set holds no vectors. On one core about 6 s for a million vectors of 128.
 */
enum similar_status similar_build(struct similar_set *set, const struct similar_input *input);
/* The vectors of `set` as the input of another build; `set` is borrowed and must not change. */
enum similar_status similar_input_create(const struct similar_set *set,
                                         struct similar_input *input);
void similar_input_destroy(struct similar_input *input);

enum similar_status similar_insert(struct similar_set *set, uint32_t id, const float *vector);
enum similar_status similar_remove(struct similar_set *set, uint32_t id);
/* The stored floats of an id, or NULL. Valid until the next change. */
const float *similar_get(const struct similar_set *set, uint32_t id);
uint64_t similar_count(const struct similar_set *set);
uint32_t similar_list_count(const struct similar_set *set);

/*
 * Splits lists that grew too long and dissolves lists that became too short, at most `lists_max`
 * of them; then slices of the graph are rid of removed accounts, each counted as one list.
 * `lists_done` (may be NULL) says how many, 0 when all is well. A list costs about 2 microseconds a
 * vector, a slice below half a millisecond. Call it from time to time, between changes.
 */
enum similar_status similar_balance(struct similar_set *set, uint32_t lists_max,
                                    uint32_t *lists_done);
/* Whether similar_balance would do something. Cheap: a counter. */
bool similar_balance_due(const struct similar_set *set);

/* Writes counts and the seal of the meta block; call before persisting. Others: block_seal. */
enum similar_status similar_flush(struct similar_set *set);
/* The caller put a block elsewhere, content unchanged (its page moved, or a copy was dropped). */
void similar_block_moved(struct similar_set *set, enum similar_kind kind, uint32_t number,
                         const void *block);

/*
 * A predicate over ids: bit `id % 64` of word `id / 64` is set for an id that may be returned.
 * Ids past the end may not. The words are borrowed for the filter's life. Preparing costs a few
 * nanoseconds per set bit; it makes 16-bit masks for tiles of vectors. After the set changed the
 * filter still answers rightly, slower, until it is prepared again.
 */
struct similar_filter;
struct similar_filter *similar_filter_create(const struct similar_set *set, const uint64_t *words,
                                             size_t word_count, enum similar_status *status);
void similar_filter_destroy(struct similar_filter *filter);
uint64_t similar_filter_count(const struct similar_filter *filter);

/* Working memory of one search thread; grows to what its largest query needed. */
struct similar_scratch;
struct similar_scratch *similar_scratch_create(const struct similar_set *set);
void similar_scratch_destroy(struct similar_scratch *scratch);

struct similar_hit {
    uint32_t id;
    uint32_t example; /* Index of the nearest positive in a composed query; else 0. */
    double similarity;
};

struct similar_query {
    const float *vector;
    uint32_t k;
    double recall; /* 0 or 1 = exact; otherwise a target in (0, 1): similar_calibrate */
    const struct similar_filter *filter; /* NULL = all. */
    const uint32_t *exclude;             /* Ids never to return, ascending. */
    uint32_t exclude_count;
    /* Measuring only: overrides what calibration chose. 0 = as calibrated. */
    uint32_t probes;
    float epsilon;
    float margin;
    bool partitions; /* Not on the graph. */
    uint32_t effort; /* On the graph if there is one, with so many places. */
};

enum similar_path {
    SIMILAR_PATH_EXACT_SCAN,
    SIMILAR_PATH_EXACT_MATCHES,
    SIMILAR_PATH_PROBE,
    SIMILAR_PATH_GRAPH,
};

/* How an answer was found. */
struct similar_report {
    enum similar_path path;
    bool exact;
    double recall_expected; /* 1 when exact, else what calibration measured. */
    uint64_t lists_probed;
    uint64_t codes_scanned;
    uint64_t bytes_scanned; /* int8 vectors looked at. */
    uint64_t floats_finished;
};

/* Answers one query. `hits` has room for k. `report` may be NULL. */
enum similar_status similar_search(const struct similar_set *set, struct similar_scratch *scratch,
                                   const struct similar_query *query, struct similar_hit *hits,
                                   uint32_t *hit_count, struct similar_report *report);

/*
 * Answers queries that wait together, exactly, in one pass over the data. hits[i] has room for
 * queries[i].k.
 */
enum similar_status similar_search_many(const struct similar_set *set,
                                        struct similar_scratch *scratch,
                                        const struct similar_query *queries, uint32_t query_count,
                                        struct similar_hit *const *hits, uint32_t *hit_counts);

/*
 * Answers queries that wait together as similar_search answers each, in the way that is cheapest
 * for all: those that an exact scan of everything answers share one pass, the others follow one by
 * one, which is faster than any sharing of lists that few of them have in common. `reports` (may be
 * NULL) has room for query_count; a pass counts what it scanned with its first query.
 */
enum similar_status similar_search_waiting(const struct similar_set *set,
                                           struct similar_scratch *scratch,
                                           const struct similar_query *queries,
                                           uint32_t query_count, struct similar_hit *const *hits,
                                           uint32_t *hit_counts, struct similar_report *reports);

/*
 * Several examples. A candidate is on the positive side when its best similarity to a positive is
 * greater than its best similarity to a negative. The positive side comes first, by best
 * similarity to a positive; the rest follows, by the difference of the two. So whatever is nearer
 * to a positive never loses to what is nearer to a negative, and one positive alone is a plain
 * search. `base.vector` is not used.
 */
struct similar_examples {
    const float *const *positives;
    uint32_t positive_count; /* at least 1 */
    const float *const *negatives;
    uint32_t negative_count;
    struct similar_query base;
};
enum similar_status similar_compose(const struct similar_set *set, struct similar_scratch *scratch,
                                    const struct similar_examples *examples,
                                    struct similar_hit *hits, uint32_t *hit_count,
                                    struct similar_report *report);

/*
 * Finds the cheapest settings for the recall targets 0.9, 0.95, 0.975, 0.99, 0.995 and 0.999 by
 * asking stored vectors for their neighbours, exactly and approximately; targets between these are
 * interpolated, those below 0.9 answered as 0.9, those above 0.999 exactly. What comes is about the
 * target and a fifth of what is missing to 1. A build ends with it; a set that grew to a multiple
 * since may want it again. Until it ran, searches are exact. Takes one to two seconds for a million
 * vectors of 128. Needs the set to itself.
 */
enum similar_status similar_calibrate(struct similar_set *set);

/*
 * A graph beside the partitions, for those who have the memory: links between near vectors, which
 * an approximate search walks along where calibration found that to be faster, behind filters too,
 * at the recall asked for (by counted work, as always). All else stays with the partitions.
 * similar_graph_build makes it of a set that was built, and calibrates; from then on it follows
 * every insert and remove, until a third has changed or it would exceed the bound of the options:
 * then it answers no more, and the partitions do. SIMILAR_ERROR_OPTION: cancelled. Fewer than 1,000
 * vectors, or a bound that is too small: SIMILAR_OK, and there is no graph.
 * Needs the set to itself. 13 s for 100,000 vectors of 128 (AVX2, one core of a busy machine).
 */
enum similar_status similar_graph_build(struct similar_set *set);
/* Forgets the graph and gives its blocks back. */
void similar_graph_drop(struct similar_set *set);
/* Memory of a vector in a graph, its share of directories included: 1,000 or so at 128 dimensions.
 */
uint64_t similar_graph_bytes(uint32_t dim);
struct similar_graph_figures {
    bool built;
    bool answers; /* not when too much has changed */
    uint64_t vertices, removed, bytes;
};
void similar_graph_figures(const struct similar_set *set, struct similar_graph_figures *figures);

/* Share of the exact top k that the approximate search returns for the same queries, in [0,1]. */
enum similar_status similar_recall(const struct similar_set *set, struct similar_scratch *scratch,
                                   const struct similar_query *queries, uint32_t query_count,
                                   double *recall);

/* The instruction set in use ("scalar", "avx2", "avx512", "amx"), for logs and benches. */
const char *similar_kernel_name(void);

#endif
