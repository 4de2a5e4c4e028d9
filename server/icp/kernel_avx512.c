/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mavx512f and others (CMakeLists.txt); runs only where icp_kernel_choose has seen
 * them supported. */
#include "server/icp/kernel.h"

#ifdef __x86_64__
#include "server/icp/kernel_body.h"

const struct icp_kernel icp_kernel_avx512 = {body_derivatives, body_sums};
#endif
