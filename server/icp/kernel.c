/* SPDX-License-Identifier: Apache-2.0 */
#include "server/icp/kernel_body.h"

const struct icp_kernel icp_kernel_plain = {body_derivatives, body_sums};

const struct icp_kernel *icp_kernel_choose(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        return &icp_kernel_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return &icp_kernel_avx2;
    }
#endif
    return &icp_kernel_plain;
}
