/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_kernel.h"

#include "server/similar/similar.h"

#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
}

/*
 * Tile registers are large, so Linux wants each process to ask for them before first use. A kernel
 * without them answers with an error, and so does a processor without them.
 */
static bool has_amx(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    unsigned a = 7;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    bool tile = (d >> 24 & 1) != 0 && (d >> 25 & 1) != 0;
    return has_avx512() && tile &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}
#endif

/*
 * Chosen once, before main, and never changed: the one file-scope state of this library. The AMX
 * table is the AVX-512 one with three kernels replaced.
 */
static const struct similar_kernel *kernel_chosen = &similar_kernel_scalar;
#if defined(__x86_64__)
static struct similar_kernel kernel_amx;
static bool kernel_amx_usable;
#endif

__attribute__((constructor)) static void kernel_choose(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    kernel_amx = similar_kernel_avx512;
    kernel_amx.name = "amx";
    kernel_amx.dot_tile16 = similar_amx_dot_tile16;
    kernel_amx.nearest_tile = similar_amx_nearest_tile;
    kernel_amx.scan_bytes16 = similar_amx_scan_bytes16;
    kernel_amx_usable = has_amx();
    if (kernel_amx_usable) {
        kernel_chosen = &kernel_amx;
    } else if (has_avx512()) {
        kernel_chosen = &similar_kernel_avx512;
    } else if (has_avx2()) {
        kernel_chosen = &similar_kernel_avx2;
    }
#endif
}

const struct similar_kernel *similar_kernel(void)
{
    return kernel_chosen;
}

size_t similar_kernel_all(const struct similar_kernel **tables, size_t room)
{
    size_t count = 0;
    if (count < room) {
        tables[count++] = &similar_kernel_scalar;
    }
#if defined(__x86_64__)
    if (count < room && has_avx2()) {
        tables[count++] = &similar_kernel_avx2;
    }
    if (count < room && has_avx512()) {
        tables[count++] = &similar_kernel_avx512;
    }
    if (count < room && kernel_amx_usable) {
        tables[count++] = &kernel_amx;
    }
#endif
    return count;
}

const char *similar_kernel_name(void)
{
    return kernel_chosen->name;
}
