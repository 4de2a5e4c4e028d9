/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_peer.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexIVFPQFastScan.h>
#include <faiss/IndexRefine.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <omp.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

struct peer {
    std::unique_ptr<faiss::Index> index;
    faiss::IndexRefine *refine = nullptr; /* of product codes */
    faiss::IndexIVF *lists = nullptr;
    faiss::IndexHNSW *graph = nullptr;
    std::unique_ptr<faiss::IDSelectorBitmap> selector; /* of filtered searches */
    faiss::SearchParametersIVF of_lists;
    faiss::SearchParameters of_flat;
};

static double now()
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static std::string factory(const char *kind, const struct peer_input *input)
{
    size_t lists = 1;
    while ((double)lists < 2 * std::sqrt((double)input->count)) {
        lists *= 2;
    }
    std::string ivf = "IVF" + std::to_string(lists);
    if (strcmp(kind, "pq") == 0) {
        return ivf + ",PQ" + std::to_string(input->dim / 2) + "x4fs,RFlat";
    }
    if (strcmp(kind, "ivf") == 0) {
        return ivf + ",Flat";
    }
    return strcmp(kind, "hnsw") == 0 ? "HNSW32,Flat" : "Flat";
}

/*
 * A kept index is of these vectors if it has as many and finds most of some as their own nearest:
 * it is approximate, so not all.
 */
static bool is_of(faiss::Index &index, const struct peer_input *input)
{
    const size_t asked = 16;
    size_t found = 0;
    if ((size_t)index.ntotal != input->count || (size_t)index.d != input->dim) {
        return false;
    }
    if (auto *refine = dynamic_cast<faiss::IndexRefine *>(&index)) {
        refine->k_factor = 32;
    }
    for (size_t i = 0; i < asked; i++) {
        float distance = 1;
        faiss::Index::idx_t label = -1;
        index.search(1, input->vectors + i * (input->count / asked) * input->dim, 1, &distance,
                     &label);
        found += label >= 0 && distance < 1e-6F;
    }
    return found > asked / 2;
}

static bool load(peer &p, const struct peer_input *input, double *seconds)
{
    std::string path = input->path == nullptr ? "" : input->path;
    std::ifstream time(path + ".seconds");
    if (path.empty() || !(time >> *seconds)) {
        return false;
    }
    p.index.reset(faiss::read_index(path.c_str()));
    if (!is_of(*p.index, input)) {
        fprintf(stderr, "faiss: %s holds other vectors and is built anew\n", path.c_str());
        p.index.reset();
    }
    return p.index != nullptr;
}

/* Small sets are what a quick run is about: no warning that they are small. */
static void warnings_silence(faiss::Index *index)
{
    if (auto *refine = dynamic_cast<faiss::IndexRefine *>(index)) {
        index = refine->base_index;
    }
    if (auto *lists = dynamic_cast<faiss::IndexIVF *>(index)) {
        lists->cp.min_points_per_centroid = 1;
    }
    if (auto *codes = dynamic_cast<faiss::IndexIVFPQFastScan *>(index)) {
        codes->pq.cp.min_points_per_centroid = 1;
    }
}

static void build(peer &p, const char *kind, const struct peer_input *input, double *seconds)
{
    double start = now();
    p.index.reset(faiss::index_factory((int)input->dim, factory(kind, input).c_str()));
    warnings_silence(p.index.get());
    p.index->train((faiss::Index::idx_t)input->count, input->vectors);
    p.index->add((faiss::Index::idx_t)input->count, input->vectors);
    *seconds = now() - start;
    if (input->path != nullptr) {
        faiss::write_index(p.index.get(), input->path);
        std::ofstream(std::string(input->path) + ".seconds") << *seconds;
    }
}

static struct peer *create(const char *kind, const struct peer_input *input, double *seconds)
{
    std::unique_ptr<peer> p(new peer);
    omp_set_num_threads(1);
    try {
        if (!load(*p, input, seconds)) {
            build(*p, kind, input, seconds);
        }
    } catch (const std::exception &error) {
        fprintf(stderr, "faiss: %s\n", error.what());
        return nullptr;
    }
    p->refine = dynamic_cast<faiss::IndexRefine *>(p->index.get());
    p->lists = dynamic_cast<faiss::IndexIVF *>(p->refine != nullptr ? p->refine->base_index
                                                                    : p->index.get());
    p->graph = dynamic_cast<faiss::IndexHNSW *>(p->index.get());
    if (input->words != nullptr) {
        /* A word's bytes are the bitmap's on a little-endian machine, and icpd knows no other. */
        p->selector.reset(new faiss::IDSelectorBitmap(
            input->count / 8 + 1, reinterpret_cast<const uint8_t *>(input->words)));
        p->of_lists.sel = p->selector.get();
        p->of_flat.sel = p->selector.get();
    }
    return p.release();
}

static struct peer *pq_create(const struct peer_input *input, double *seconds)
{
    return create("pq", input, seconds);
}

static struct peer *ivf_create(const struct peer_input *input, double *seconds)
{
    return create("ivf", input, seconds);
}

static struct peer *hnsw_create(const struct peer_input *input, double *seconds)
{
    return create("hnsw", input, seconds);
}

static struct peer *flat_create(const struct peer_input *input, double *seconds)
{
    return create("flat", input, seconds);
}

static void destroy(struct peer *p)
{
    delete p;
}

/* Candidates that are re-ranked, of the k wanted: what pays depends on the set. */
static const float k_factors[] = {4, 8, 16, 32};

static void effort_set(struct peer *p, unsigned variant, size_t effort)
{
    if (p->refine != nullptr) {
        p->refine->k_factor = k_factors[variant % 4];
    }
    if (p->lists != nullptr) {
        p->lists->nprobe = effort;
        p->of_lists.nprobe = effort;
    }
    if (p->graph != nullptr) {
        p->graph->hnsw.efSearch = (int)effort;
    }
}

static size_t search(const struct peer *p, const float *query, size_t k, uint32_t *ids)
{
    std::vector<float> distances(k);
    std::vector<faiss::Index::idx_t> labels(k, -1);
    const faiss::SearchParameters *parameters = nullptr;
    if (p->selector != nullptr) {
        parameters = p->lists != nullptr
                         ? static_cast<const faiss::SearchParameters *>(&p->of_lists)
                         : &p->of_flat;
    }
    try {
        p->index->search(1, query, (faiss::Index::idx_t)k, distances.data(), labels.data(),
                         parameters);
    } catch (const std::exception &error) {
        fprintf(stderr, "faiss: %s\n", error.what());
        return 0;
    }
    size_t count = 0;
    for (size_t i = 0; i < k; i++) {
        if (labels[i] >= 0) {
            ids[count++] = (uint32_t)labels[i];
        }
    }
    return count;
}

/* name, file, knob, least and most effort, variants, query_part, takes_minutes, functions */
extern "C" const struct peer_kind peer_faiss_pq = {"faiss IVF, 4-bit codes, re-ranked",
                                                   "faiss-pq",
                                                   "nprobe",
                                                   1,
                                                   2048,
                                                   4,
                                                   1,
                                                   false,
                                                   pq_create,
                                                   destroy,
                                                   effort_set,
                                                   search,
                                                   nullptr};
extern "C" const struct peer_kind peer_faiss_ivf = {
    "faiss IVF, floats", "faiss-ivf", "nprobe",   1,      2048,   1, 1, false,
    ivf_create,          destroy,     effort_set, search, nullptr};
extern "C" const struct peer_kind peer_faiss_hnsw = {
    "faiss HNSW", "faiss-hnsw", "efSearch", 10,         20000,  1,      1,
    true,         hnsw_create,  destroy,    effort_set, search, nullptr};
extern "C" const struct peer_kind peer_faiss_flat = {
    "faiss brute force", nullptr, nullptr,    1,      1,      1, 20, false,
    flat_create,         destroy, effort_set, search, nullptr};
