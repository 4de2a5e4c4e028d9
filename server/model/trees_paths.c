/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: of each leaf, what a row must hold to reach it. All splits of a path on one column are one
 * condition: the codes that pass them all, and the product of their shares, as TreeSHAP has it. And
 * Gauss–Legendre's rules for the integral over them (trees.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/model/trees_plan.h"

/* A split above the node in work. */
struct above {
    uint32_t node;
    bool right; /* its left subtree is done */
};

/* A condition before it is written down. */
struct condition {
    struct model_code_set codes;
    double share;
    uint16_t column;
};

/* The splits above a leaf as conditions, in the order of the path; how many. */
static size_t conditions_take(const struct model_trees *trees, const struct above *above,
                              size_t depth, struct condition *conditions)
{
    size_t count = 0;
    for (size_t d = 0; d < depth; d++) {
        const struct model_tree_node *node = &trees->nodes[above[d].node];
        struct model_code_set codes = model_node_codes(trees, node);
        double share = (double)node->share / MODEL_TREES_SHARE_ONE;
        size_t at = 0;
        while (at < count && conditions[at].column != node->column) {
            at++;
        }
        if (at == count) {
            conditions[count++] =
                (struct condition){.codes.bits = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
                                   .share = 1.0,
                                   .column = node->column};
        }
        for (size_t w = 0; w < 4; w++) {
            conditions[at].codes.bits[w] &= above[d].right ? ~codes.bits[w] : codes.bits[w];
        }
        conditions[at].share *= above[d].right ? 1.0 - share : share;
    }
    return count;
}

/* Codes without a gap as their ends; anything else is kept as a set, none of them too. */
static bool step_write(struct model_trees_plan *plan, size_t *set_room,
                       const struct condition *condition, size_t bins, struct model_path_step *step)
{
    size_t low = 0;
    while (low < bins && !model_code_in(&condition->codes, (uint8_t)low)) {
        low++;
    }
    size_t end = low;
    while (end < bins && model_code_in(&condition->codes, (uint8_t)end)) {
        end++;
    }
    size_t next = end;
    while (next < bins && !model_code_in(&condition->codes, (uint8_t)next)) {
        next++;
    }
    step->share = condition->share;
    if (next == bins && low < bins) {
        step->low = (uint8_t)low;
        step->high = (uint8_t)(end - 1);
        step->set = 0;
        return true;
    }
    if (plan->set_count == *set_room) {
        size_t room = *set_room == 0 ? 64 : *set_room * 2;
        struct model_code_set *sets = realloc(plan->sets, room * sizeof *sets);
        if (sets == NULL) {
            return false;
        }
        plan->sets = sets;
        *set_room = room;
    }
    plan->sets[plan->set_count++] = condition->codes;
    step->set = (uint32_t)plan->set_count;
    return true;
}

/* Where steps are written. */
struct writing {
    const struct feature_codebook *codebook;
    uint16_t *places; /* of columns, in trees->columns */
    size_t step_room, step_count, set_room;
    struct model_path *aside;
};

static bool step_same(const struct model_trees_plan *plan, const struct model_path_step *a,
                      const struct model_path_step *b)
{
    if (a->column != b->column || a->share < b->share || a->share > b->share) {
        return false;
    }
    if (a->set != 0 && b->set != 0) {
        return memcmp(&plan->sets[a->set - 1], &plan->sets[b->set - 1], sizeof *plan->sets) == 0;
    }
    return a->set == b->set && a->low == b->low && a->high == b->high;
}

/* With how many of its first steps a path goes the way of the one before. */
static uint32_t steps_shared(const struct model_trees_plan *plan, const struct model_path *path)
{
    const struct model_path *before = path - 1;
    uint32_t shared = 0;
    while (
        shared < path->count && shared < before->count &&
        step_same(plan, &plan->steps[path->first + shared], &plan->steps[before->first + shared])) {
        shared++;
    }
    return shared;
}

/* Those of the paths from `first` on that have so many parts, moved to the front, in their order,
 * by way of `aside`; a leaf without a condition adds nothing and is in no group. */
static size_t parts_take(struct model_trees_plan *plan, size_t first, uint32_t parts,
                         struct model_path *aside)
{
    size_t left = 0;
    size_t taken = first;
    for (size_t i = first; i < plan->path_count; i++) {
        struct model_path path = plan->paths[i];
        if (model_rule_parts(path.count) == parts) {
            plan->paths[taken++] = path;
        } else {
            aside[left++] = path;
        }
    }
    memcpy(&plan->paths[taken], aside, left * sizeof *aside);
    return taken - first;
}

/* The paths of a tree by the rules that they need. */
static void groups_write(struct model_trees_plan *plan, size_t first, struct model_path *aside)
{
    uint32_t parts_most = model_rule_parts(MODEL_TREES_DEPTH_MAX);
    for (uint32_t parts = 0; parts <= parts_most && first < plan->path_count; parts++) {
        size_t count = parts_take(plan, first, parts, aside);
        for (size_t i = 1; i < count; i++) {
            plan->paths[first + i].shared = steps_shared(plan, &plan->paths[first + i]);
        }
        if (count > 0 && parts > 0) {
            plan->groups[plan->group_count++] = (struct model_path_group){
                .first = (uint32_t)first, .count = (uint32_t)count, .parts = parts};
        }
        first += count;
    }
}

static bool path_write(struct model_trees *trees, const struct model_tree_node *leaf,
                       const struct above *above, size_t depth, struct writing *writing)
{
    struct model_trees_plan *plan = trees->plan;
    struct condition conditions[MODEL_TREES_DEPTH_MAX];
    size_t count = conditions_take(trees, above, depth, conditions);
    if (writing->step_count + count > writing->step_room) {
        size_t room = 2 * (writing->step_room + MODEL_TREES_DEPTH_MAX);
        struct model_path_step *steps = realloc(plan->steps, room * sizeof *steps);
        if (steps == NULL) {
            return false;
        }
        plan->steps = steps;
        writing->step_room = room;
    }
    double share = 1.0;
    plan->paths[plan->path_count++] = (struct model_path){.value = (double)leaf->value,
                                                          .first = (uint32_t)writing->step_count,
                                                          .count = (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        struct model_path_step *step = &plan->steps[writing->step_count++];
        uint16_t column = conditions[i].column;
        step->column = writing->places[column];
        share *= conditions[i].share;
        if (!step_write(plan, &writing->set_room, &conditions[i],
                        writing->codebook->columns[column].bin_count, step)) {
            return false;
        }
    }
    plan->expectation += share * (double)leaf->value;
    return true;
}

static bool tree_write(struct model_trees *trees, size_t tree, struct writing *writing)
{
    struct above above[MODEL_TREES_DEPTH_MAX + 1];
    size_t depth = 0;
    size_t first = trees->plan->path_count;
    for (uint32_t i = trees->firsts[tree]; i < trees->firsts[tree + 1]; i++) {
        const struct model_tree_node *node = &trees->nodes[i];
        if (node->column != MODEL_TREES_LEAF) {
            above[depth++] = (struct above){.node = i};
            continue;
        }
        if (!path_write(trees, node, above, depth, writing)) {
            return false;
        }
        while (depth > 0 && above[depth - 1].right) {
            depth--;
        }
        if (depth > 0) {
            above[depth - 1].right = true;
        }
    }
    groups_write(trees->plan, first, writing->aside);
    return true;
}

/* Point i of n, with its weight: the roots of Legendre's polynomial by Newton's steps from a guess
 * that is within the basin of each (Abramowitz and Stegun 25.4.29), moved from −1 … 1 to 0 … 1. */
static void rule_point(size_t n, size_t i, double *point, double *weight)
{
    double x = cos(M_PI * ((double)i + 0.75) / ((double)n + 0.5));
    double slope = 1.0;
    for (int step = 0; step < 100; step++) {
        double before = 1.0;
        double at = x;
        for (size_t k = 2; k <= n; k++) {
            double next =
                ((2.0 * (double)k - 1.0) * x * at - ((double)k - 1.0) * before) / (double)k;
            before = at;
            at = next;
        }
        slope = (double)n * (x * at - before) / (x * x - 1.0);
        double moved = at / slope;
        x -= moved;
        if (fabs(moved) < 1e-16) {
            break;
        }
    }
    *point = 0.5 - 0.5 * x;
    *weight = 1.0 / ((1.0 - x * x) * slope * slope);
}

static bool rules_make(struct model_trees_plan *plan)
{
    size_t rules = MODEL_RULES_MAX;
    plan->points = calloc(model_rule_first(rules + 1), sizeof *plan->points);
    plan->weights = calloc(model_rule_first(rules + 1), sizeof *plan->weights);
    if (plan->points == NULL || plan->weights == NULL) {
        return false;
    }
    for (size_t n = 1; n <= rules; n++) {
        for (size_t i = 0; i < n; i++) {
            size_t at = model_rule_first(n) + i;
            rule_point(n, i, &plan->points[at], &plan->weights[at]);
        }
    }
    return true;
}

bool model_paths_make(struct model_trees *trees, const struct feature_codebook *codebook,
                      struct proto_fault *fault)
{
    struct model_trees_plan *plan = trees->plan;
    struct writing writing = {.codebook = codebook};
    writing.places = calloc(codebook->column_count + 1, sizeof *writing.places);
    plan->paths = calloc(trees->node_count + 1, sizeof *plan->paths);
    plan->groups = calloc(trees->node_count + 1, sizeof *plan->groups);
    writing.aside = calloc(trees->node_count + 1, sizeof *writing.aside);
    bool ok = writing.places != NULL && writing.aside != NULL && plan->paths != NULL &&
              plan->groups != NULL && rules_make(plan);
    for (size_t c = 0; ok && c < trees->column_count; c++) {
        writing.places[trees->columns[c]] = (uint16_t)c;
    }
    for (size_t t = 0; ok && t < trees->tree_count; t++) {
        ok = tree_write(trees, t, &writing);
    }
    free(writing.aside);
    free(writing.places);
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the trees");
}
