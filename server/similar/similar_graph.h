/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the graph beside the partitions: each vector is a vertex with links to 32 others, and an
 * approximate search walks from vertex to vertex towards the query. Not for callers of the library.
 *
 * Space. A vertex is a point of the grid: the rotated vector (scaled to length 1 for cosine) less a
 * common centre, in steps that are one for all, rounded to bytes. Distances are squares in steps,
 * int32: at most 255^2 * 2048 < 2^27. They rank alone; whatever is answered is settled on the
 * stored floats.
 *
 * A vertex, `similar_vertex_bytes`, lies on cache lines and has all that a visit reads:
 *     64      struct similar_vertex
 *     D       the row: value + 128
 *     128     link[32] u32: other vertices
 *     4D+128  two code tiles (similar_block.h): signs of (neighbour - vertex), and the factors
 * With r = w - c for a link from c to w, |q - w|^2 = |q - c|^2 + |r|^2 - 2 <q - c, r>, and the code
 * estimates <q - c, r> as in similar_encode.h: one look-up table a query, the same estimate as for
 * L2. So a visit ranks 32 neighbours without a look at any of them. A place without a link has
 * -inf.
 *
 * Of a product (dot) nothing is nearest: the longest vectors win. So a vertex has a lift, a
 * coordinate of its own that makes all vertices equally long (Bachrach and others 2014): |row|^2 +
 * lift^2 is about the square of the longest, and whose product with a query is greatest is then
 * nearest to it. A query's lift is 0, so it asks of rows alone: its distance is a constant less
 * twice the product, and codes estimate twice <q, r>. Vertices among themselves, when links are
 * chosen, are compared with their lifts; `lifts` has those of the neighbours, in 255ths of the
 * longest. For cosine and L2 all of these are 0.
 *
 * The first `kept` links were chosen so that none lies behind another (similar_graph_prune.c); the
 * others fill places, and are the first to go when a better link comes.
 *
 * Removing an account leaves its vertex as a way through (id SIMILAR_ID_NONE), which is never an
 * answer and never linked to anew. It is used again once nothing leads there: similar_graph_mend.c.
 *
 * Blocks of SIMILAR_KIND_GRAPH: number 0 is struct similar_graph_meta, then centre[D] f32, then
 * entry[entry_count] u32, and at its very end the settings for filters; number n has the 64
 * vertices from 64 (n - 1) on. What else is in struct similar_graph is made from them by
 * similar_graph_open.
 *
 * Source. Gou, Gao, Xu 2025 (SymphonyQG: codes of the neighbours beside the vertex); Gao and Long
 * 2024 (RaBitQ). Deviations: neighbours come from the partitions, not from rounds of searches on
 * the graph; a search starts at the nearest of many entries; the codes are of the residual on the
 * grid with one table a query, not one a vertex; and vectors come and go.
 */
#ifndef ICP_SIMILAR_GRAPH_H
#define ICP_SIMILAR_GRAPH_H

#include "server/similar/similar_search.h"

enum {
    SIMILAR_GRAPH_LINKS = 32,
    SIMILAR_GRAPH_LEAST = 1000,       /* vectors below which nothing is built */
    SIMILAR_GRAPH_EFFORT_MAX = 1024,  /* places of the pool of a search */
    SIMILAR_GRAPH_FOUND_MAX = 256,    /* best vertices that a walk keeps */
    SIMILAR_GRAPH_ENTRIES_MAX = 8192, /* fit block 0 at any dimension */
    SIMILAR_GRAPH_VERTICES_MAX = 1 << 30,
    SIMILAR_GRAPH_LIFT_MAX = 127 * 46, /* of rows of 2,048 bytes */
    SIMILAR_GRAPH_LEVELS = 2,          /* depths of calibration: 10 and 100 */
    SIMILAR_GRAPH_FILTERS = 2, /* shares that pass a filter, at depth 10: a half and a tenth */
    SIMILAR_GRAPH_FILTER_K = 10,
};

struct similar_vertex {
    uint32_t id;  /* SIMILAR_ID_NONE: removed, or never used */
    int32_t norm; /* |row|^2 + lift^2 */
    uint8_t degree;
    uint8_t kept;
    uint8_t reserved[2];
    int32_t lift;
    uint8_t reserved_too[16];
    uint8_t lifts[SIMILAR_GRAPH_LINKS];
};
static_assert(sizeof(struct similar_vertex) == 64, "a vertex begins with one cache line");

struct similar_graph_meta {
    struct similar_header header;
    uint64_t built_count;
    uint64_t inserted_count; /* since the build */
    uint64_t removed_count;
    uint32_t vertex_count;
    uint32_t entry_count;
    float step;
    int32_t longest; /* |row|^2 of the longest at the build, for a product; else 0 */
    /* `probes` is the effort; 0: the partitions are faster, or the target is out of reach. */
    struct similar_setting settings[SIMILAR_GRAPH_LEVELS][SIMILAR_TARGETS];
};
static_assert(sizeof(struct similar_graph_meta) == 48 + 40 + 288, "meta is 376 bytes");
static_assert(offsetof(struct similar_graph_meta, settings) == 88, "settings at 88");

/* A vector as a query of the graph, or as a vertex to be. */
struct similar_aim {
    float grid[SIMILAR_DIM_MAX]; /* in steps */
    int8_t bytes[SIMILAR_DIM_MAX];
    uint8_t row[SIMILAR_DIM_MAX]; /* bytes + 128 */
    bool product; /* a query of products: lifts do not count, nor how long a vertex is */
    int32_t lift;
    int32_t norm;       /* of bytes, and lift */
    int32_t correction; /* 128 * sum of bytes */
    uint8_t table[4 * SIMILAR_DIM_MAX];
    double table_step;
    double table_sum;
};

/* Working memory of walks. */
struct similar_walk {
    struct similar_aim aim;
    uint64_t *pool; /* distance as float bits << 32 | done | vertex, nearest first */
    uint32_t pool_count;
    uint64_t *seen;     /* bits by vertex; all zero between walks */
    uint32_t seen_room; /* vertices */
    uint32_t *visited;
    uint32_t visited_count;
    uint32_t visited_room;
    uint32_t skip;     /* vertex that walks do not see, to calibrate; SIMILAR_NONE: none */
    uint32_t admitted; /* of the visited ones */
    uint32_t found_count;
    uint32_t found_room;
    uint64_t found[SIMILAR_GRAPH_FOUND_MAX]; /* ranked, nearest first */
};

/* What the distance of an entry takes besides the product of rows. */
struct similar_entry {
    int32_t correction;
    int32_t norm;
    int32_t lift;
};

struct similar_graph {
    uint32_t dim;
    uint32_t count;   /* vertices, removed ones too */
    uint32_t room;    /* vertices that may ever be: the bound of memory */
    uint8_t **blocks; /* of vertices */
    uint32_t block_room;
    uint8_t *known; /* links to each vertex, up to 255 */
    uint32_t known_room;
    uint32_t *vertex_of; /* by id; SIMILAR_NONE: none */
    uint64_t id_room;
    bool product;    /* metric of dot */
    int32_t longest; /* squared */
    float *centre;
    float step;
    uint32_t *entries;
    uint32_t entry_count;
    int8_t *entry_bytes; /* interleaved groups of 16 */
    struct similar_entry *entry_terms;
    uint64_t built_count;
    uint64_t inserted_count;
    uint64_t removed_count; /* places of removed accounts that are not free */
    uint32_t *free;         /* places that nothing leads to */
    uint32_t free_count;
    uint32_t free_room;
    uint64_t *leaving; /* bits by vertex: to be freed by the pass under way; NULL: there is none */
    uint32_t mend_count; /* vertices when it began */
    uint32_t mend_at;
    bool freeing; /* its second half */
    bool lost;    /* it has missed a change, for want of room or memory: it answers no more */
    struct similar_setting settings[SIMILAR_GRAPH_LEVELS][SIMILAR_TARGETS];
    struct similar_setting filtered[SIMILAR_GRAPH_FILTERS][SIMILAR_TARGETS];
    struct similar_walk *walk; /* of changes */
};

static inline size_t similar_vertex_bytes(uint32_t dim)
{
    return sizeof(struct similar_vertex) + (size_t)5 * dim + (size_t)8 * SIMILAR_GRAPH_LINKS;
}

static inline uint8_t *similar_vertex_at(const struct similar_graph *graph, uint32_t vertex)
{
    return graph->blocks[vertex / SIMILAR_GRAPH_GROUP] + sizeof(struct similar_header) +
           (vertex % SIMILAR_GRAPH_GROUP) * similar_vertex_bytes(graph->dim);
}

static inline struct similar_vertex *similar_vertex_of(const struct similar_graph *graph,
                                                       uint32_t vertex)
{
    return (struct similar_vertex *)(void *)similar_vertex_at(graph, vertex);
}

static inline uint8_t *similar_vertex_row(const struct similar_graph *graph, uint32_t vertex)
{
    return similar_vertex_at(graph, vertex) + sizeof(struct similar_vertex);
}

static inline uint32_t *similar_vertex_links(const struct similar_graph *graph, uint32_t vertex)
{
    return (uint32_t *)(void *)(similar_vertex_row(graph, vertex) + graph->dim);
}

static inline uint8_t *similar_vertex_tiles(const struct similar_graph *graph, uint32_t vertex)
{
    return (uint8_t *)similar_vertex_links(graph, vertex) + 4 * SIMILAR_GRAPH_LINKS;
}

/* similar_graph.c */
struct similar_graph *similar_graph_create(uint32_t dim, uint64_t bytes_max);
void similar_graph_free(struct similar_graph *graph); /* blocks stay the source's; NULL is fine */
/* The vertex's block as memory that may be changed; false when the source refuses. */
bool similar_graph_write(const struct similar_set *set, uint32_t vertex);
/* The source has put a block elsewhere. */
void similar_graph_moved(const struct similar_set *set, uint32_t number, const void *block);
/* Room for one more vertex, in its block and in the directory of ids up to `id`. */
bool similar_graph_grow(const struct similar_set *set, uint32_t id);
/* A place for a vertex, writable, a free one if there is any; SIMILAR_NONE: there is no room. */
uint32_t similar_graph_take(const struct similar_set *set, uint32_t id);
/* Notes a free place. False: no memory. */
bool similar_graph_release(struct similar_graph *graph, uint32_t vertex);
/* A rotated vector on the grid as a vertex; the table only when `table` is set. */
void similar_aim_init(const struct similar_graph *graph, const float *rotated, bool table,
                      struct similar_aim *aim);
/* A rotated vector as a query. */
void similar_aim_query(const struct similar_graph *graph, const float *rotated,
                       struct similar_aim *aim);
/* The lift of a row of this squared length; 0 when nothing has a lift. */
int32_t similar_graph_lift(const struct similar_graph *graph, int32_t norm);
/* Interleaves the rows of the entries. False: no memory. */
bool similar_graph_enter(struct similar_graph *graph);
/* Counts the links to each vertex: those that were kept, or all. */
void similar_graph_known(const struct similar_graph *graph, bool all);
/* One link more or less to a vertex. */
static inline void similar_known_more(const struct similar_graph *graph, uint32_t vertex)
{
    uint8_t known = graph->known[vertex];
    graph->known[vertex] = known < UINT8_MAX ? (uint8_t)(known + 1) : known;
}
static inline void similar_known_less(const struct similar_graph *graph, uint32_t vertex)
{
    uint8_t known = graph->known[vertex];
    graph->known[vertex] = known > 0 ? (uint8_t)(known - 1) : known;
}
/* What the distance of an aim to a vertex takes besides the product of rows. */
static inline int32_t similar_graph_apart(const struct similar_graph *graph,
                                          const struct similar_aim *aim, int32_t norm, int32_t lift)
{
    /* For a product how long a vertex is does not count; no distance is below zero. */
    int32_t own = aim->product ? 127 * 127 * (int32_t)graph->dim : norm - 2 * aim->lift * lift;
    return own + aim->norm;
}
/* Distance of a vertex to an aim. */
int32_t similar_graph_distance(const struct similar_graph *graph,
                               const struct similar_kernel *kernel, const struct similar_aim *aim,
                               uint32_t vertex);

/* Whether so little has changed since the build that it answers. */
bool similar_graph_current(const struct similar_graph *graph);

/* similar_graph_code.c: puts a link into a place of a vertex that may be changed. */
void similar_graph_link(const struct similar_graph *graph, uint32_t vertex, uint32_t place,
                        uint32_t to);
/* Empties the places from `degree` on. */
void similar_graph_close(const struct similar_graph *graph, uint32_t vertex, uint32_t degree);
/* How much higher than its vertex a link leads, by lifts; and what the codes of a vertex say of an
 * aim, with what the lifts of both add: see similar_graph.h. */
float similar_link_rise(const struct similar_graph *graph, uint32_t vertex, uint32_t place);
void similar_values_lift(const struct similar_graph *graph, const struct similar_aim *aim,
                         uint32_t vertex, float *values);

/*
 * A vertex with its distance, as one number whose order is that of distances, then of vertices.
 */
static inline uint64_t similar_ranked(int32_t distance, uint32_t vertex)
{
    return (uint64_t)(uint32_t)distance << 32 | vertex;
}

/* Puts a ranked vertex into its place among the nearest `room`; one beyond all of them is let go.
 */
static inline void similar_ranked_put(uint64_t *nearest, uint32_t *count, uint32_t room,
                                      uint64_t ranked)
{
    if (*count == room && ranked >= nearest[room - 1]) {
        return;
    }
    uint32_t at = *count < room ? (*count)++ : room - 1;
    for (; at > 0 && ranked < nearest[at - 1]; at--) {
        nearest[at] = nearest[at - 1];
    }
    nearest[at] = ranked;
}

/* similar_graph_prune.c */
/* The rows of vertices: those of the graph, or, while it is built, rows that lie together. */
struct similar_graph_rows {
    const struct similar_graph *graph;
    const struct similar_kernel *kernel;
    const uint8_t *flat; /* NULL: the graph's */
    const int32_t *norms;
    const int32_t *lifts;
};
/* Sorts ranked vertices; `spare` has room for as many. */
void similar_ranked_sort(uint64_t *ranked, uint64_t *spare, uint32_t count);
/*
 * Chooses links out of ranked vertices, nearest first: one is kept unless one that was kept before
 * is nearer to it than its distance divided by `alpha`. Writes up to 32 vertices to `links`: those
 * that were kept, *kept of them, then the nearest of the rest. Returns how many.
 */
uint32_t similar_graph_prune(const struct similar_graph_rows *rows, const uint64_t *ranked,
                             uint32_t count, float alpha, uint32_t *links, uint32_t *kept);

/* similar_graph_room.c */
struct similar_walk *similar_walk_create(void);
void similar_walk_destroy(struct similar_walk *walk); /* NULL is fine */
/* False: no memory. */
bool similar_walk_reserve(struct similar_walk *walk, uint32_t vertices);

/* similar_graph_walk.c */
/*
 * Walks towards walk->aim with a pool of `effort` places; afterwards walk->found has the nearest
 * `found_room` of the visited vertices that have an account which `query` (NULL: any) admits.
 */
void similar_graph_walk(const struct similar_set *set, struct similar_walk *walk, uint32_t effort,
                        uint32_t found_room, const struct similar_query *query);

/* similar_graph_search.c */
/* Of so many one passes at a calibrated share. */
uint32_t similar_graph_one_of(uint32_t filter);
/* The setting that answers a query on the graph; probes 0: it is not for the graph. */
struct similar_setting similar_graph_setting(const struct similar_set *set,
                                             const struct similar_query *query);
/* Answers a prepared probe. False: no memory for the walk; the partitions can. */
bool similar_graph_search(const struct similar_set *set, struct similar_scratch *scratch,
                          const struct similar_query *query, uint32_t effort,
                          struct similar_top *top, struct similar_report *report);

/* similar_graph_change.c: follow the set, which has changed already. */
void similar_graph_insert(struct similar_set *set, uint32_t id, const float *rotated);
void similar_graph_remove(struct similar_set *set, uint32_t id);

/* similar_graph_mend.c */
/* Whether places of removed accounts are to be freed. */
bool similar_graph_mend_due(const struct similar_set *set);
/* One slice of that; false: nothing was due. */
bool similar_graph_mend(const struct similar_set *set);

/* similar_graph_build.c: a graph that is not calibrated, as similar_graph_build says. */
enum similar_status similar_graph_make(struct similar_set *set);

/* A graph on its way from the lists of its set. */
struct similar_graph_plan {
    struct similar_set *set;
    struct similar_graph *graph;
    uint32_t count;      /* vertices */
    uint32_t list_count; /* lists that hold some */
    uint32_t *lists;     /* their numbers */
    uint32_t *first;     /* vertex of a list, one more than there are lists */
    uint32_t *places;    /* of the vertices in the set */
    uint32_t from;       /* list that the tasks of this slice begin with */
    uint8_t *rows;       /* one tile more than there are */
    int32_t *norms;
    int32_t *lifts;
    uint8_t *centre_rows; /* of the lists, one tile more */
    int32_t *centre_norms;
    int32_t *centre_lifts;
    uint32_t *bridges; /* SIMILAR_GRAPH_PROBED a vertex: the nearest in each list looked at */
    uint32_t *starts;  /* CSR of links to a vertex */
    uint32_t *sources;
    bool failed; /* a task had no memory */
};
enum { SIMILAR_GRAPH_PROBED = 16, SIMILAR_GRAPH_NEAREST = 48 };
/* Links of the vertices of list `from` + index to near ones, chosen loosely; and bridges. A task of
 * similar_run. */
void similar_graph_near(void *plan, uint32_t index);
/* similar_graph_weave.c: links in both directions, chosen anew, and their codes. */
enum similar_status similar_graph_weave(struct similar_graph_plan *plan);

/* similar_graph_anchor.c: entries for what walks do not come to. False: no memory. */
bool similar_graph_anchor(const struct similar_graph_plan *plan);

/* similar_graph_calibrate.c */
enum similar_status similar_graph_calibrate(struct similar_set *set);
/* similar_graph_open.c */
enum similar_status similar_graph_flush(const struct similar_set *set);
/* Opens what is stored of a graph, if there is any and the options want one. */
enum similar_status similar_graph_open(struct similar_set *set, bool verify);

#endif
