/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/kernel_body.h"

const struct learn_kernel learn_kernel_plain = {body_pass, body_update, body_derivatives,
                                                body_sums};

const struct learn_kernel *learn_kernel_choose(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        return &learn_kernel_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return &learn_kernel_avx2;
    }
#endif
    return &learn_kernel_plain;
}
