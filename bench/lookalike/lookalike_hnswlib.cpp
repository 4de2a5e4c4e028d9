/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_peer.h"

#include <hnswlib/hnswlib.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

struct peer {
    struct peer_input input;
    size_t effort;
    hnswlib::L2Space space;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> index;
    std::unique_ptr<hnswlib::BruteforceSearch<float>> matches;

    peer(const struct peer_input &from) : input(from), effort(10), space(from.dim)
    {
    }
};

/* Processor time of this thread, as everywhere in this bench. */
static double now()
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Whether an index that was kept holds these vectors: so many, and the same where it is looked at.
 */
static bool is_of(const hnswlib::HierarchicalNSW<float> &index, const struct peer_input &input)
{
    if (index.cur_element_count != input.count) {
        return false;
    }
    for (size_t i = 0; i < 64; i++) {
        size_t id = i * (input.count - 1) / 63;
        std::vector<float> row = index.getDataByLabel<float>(id);
        if (memcmp(row.data(), input.vectors + id * input.dim, input.dim * sizeof(float)) != 0) {
            return false;
        }
    }
    return true;
}

static bool load(struct peer *p, double *seconds)
{
    std::string path = p->input.path == nullptr ? "" : p->input.path;
    std::ifstream file(path);
    std::ifstream time(path + ".seconds");
    if (path.empty() || !file.good() || !(time >> *seconds)) {
        return false;
    }
    p->index.reset(new hnswlib::HierarchicalNSW<float>(&p->space, path));
    if (!is_of(*p->index, p->input)) {
        fprintf(stderr, "hnswlib: %s holds other vectors and is built anew\n", path.c_str());
        p->index.reset();
    }
    return p->index != nullptr;
}

static void build(struct peer *p, double *seconds)
{
    double start = now();
    p->index.reset(new hnswlib::HierarchicalNSW<float>(&p->space, p->input.count, 16, 200));
    for (size_t i = 0; i < p->input.count; i++) {
        p->index->addPoint(p->input.vectors + i * p->input.dim, i);
        if (i % 100000 == 99999) {
            fprintf(stderr, "hnswlib: %zu of %zu after %.0f s\n", i + 1, p->input.count,
                    now() - start);
        }
    }
    *seconds = now() - start;
    if (p->input.path != nullptr) {
        p->index->saveIndex(p->input.path);
        std::ofstream(std::string(p->input.path) + ".seconds") << *seconds;
    }
}

static struct peer *graph_create(const struct peer_input *input, double *seconds)
{
    std::unique_ptr<peer> p;
    try {
        p.reset(new peer(*input));
        if (!load(p.get(), seconds)) {
            build(p.get(), seconds);
        }
    } catch (const std::exception &error) {
        fprintf(stderr, "hnswlib: %s\n", error.what());
        return nullptr;
    }
    return p.release();
}

static struct peer *brute_create(const struct peer_input *input, double *seconds)
{
    std::unique_ptr<peer> p(new peer(*input));
    double start = now();
    size_t matches = 0;
    for (size_t id = 0; id < input->count; id++) {
        matches += input->words[id / 64] >> id % 64 & 1;
    }
    p->matches.reset(new hnswlib::BruteforceSearch<float>(&p->space, matches));
    for (size_t id = 0; id < input->count; id++) {
        if ((input->words[id / 64] >> id % 64 & 1) != 0) {
            p->matches->addPoint(input->vectors + id * input->dim, id);
        }
    }
    *seconds = now() - start;
    return p.release();
}

static void destroy(struct peer *p)
{
    delete p;
}

static void effort_set(struct peer *p, unsigned, size_t effort)
{
    p->effort = effort;
    if (p->index != nullptr) {
        p->index->setEf(effort);
    }
}

using answer = std::priority_queue<std::pair<float, hnswlib::labeltype>>;

/* Nearest first; `words` may be NULL. */
static size_t unpack(answer &found, size_t k, const uint64_t *words, uint32_t *ids)
{
    size_t left = found.size();
    std::vector<uint32_t> order(left);
    while (left > 0) {
        order[--left] = (uint32_t)found.top().second;
        found.pop();
    }
    size_t count = 0;
    for (size_t i = 0; i < order.size() && count < k; i++) {
        if (words == nullptr || (words[order[i] / 64] >> order[i] % 64 & 1) != 0) {
            ids[count++] = order[i];
        }
    }
    return count;
}

static size_t graph_search(const struct peer *p, const float *query, size_t k, uint32_t *ids)
{
    answer found = p->index->searchKnn(query, k);
    return unpack(found, k, nullptr, ids);
}

static size_t fetch_search(const struct peer *p, const float *query, size_t k, uint32_t *ids)
{
    answer found = p->index->searchKnn(query, p->effort);
    return unpack(found, k, p->input.words, ids);
}

static size_t brute_search(const struct peer *p, const float *query, size_t k, uint32_t *ids)
{
    answer found = p->matches->searchKnn(query, k);
    return unpack(found, k, nullptr, ids);
}

/* Makes room first, which copies everything and is not what an insert costs. */
static double graph_insert(struct peer *p, const float *vectors, size_t count)
{
    size_t from = p->index->cur_element_count;
    try {
        p->index->resizeIndex(from + count);
    } catch (const std::exception &) {
        return 0;
    }
    double start = now();
    for (size_t i = 0; i < count; i++) {
        p->index->addPoint(vectors + i * p->input.dim, from + i);
    }
    return (now() - start) / (double)count;
}

/* name, file, knob, least and most effort, variants, query_part, takes_minutes, functions */
extern "C" const struct peer_kind peer_hnswlib = {
    "hnswlib", "hnswlib",    "ef",    10,         20000,        1,           1,
    false,     graph_create, destroy, effort_set, graph_search, graph_insert};
extern "C" const struct peer_kind peer_hnswlib_fetch = {"hnswlib, fetch and filter",
                                                        "hnswlib",
                                                        "fetched",
                                                        10,
                                                        100000,
                                                        1,
                                                        2,
                                                        false,
                                                        graph_create,
                                                        destroy,
                                                        effort_set,
                                                        fetch_search,
                                                        nullptr};
extern "C" const struct peer_kind peer_hnswlib_brute = {"hnswlib, brute force over a copy",
                                                        nullptr,
                                                        nullptr,
                                                        1,
                                                        1,
                                                        1,
                                                        1,
                                                        false,
                                                        brute_create,
                                                        destroy,
                                                        effort_set,
                                                        brute_search,
                                                        nullptr};
