/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mavx2 (CMakeLists.txt); runs only where icp_kernel_choose has seen it supported.
 */
#include "server/icp/kernel.h"

#ifdef __x86_64__
#include "server/icp/kernel_body.h"

const struct icp_kernel icp_kernel_avx2 = {body_derivatives, body_sums};
#endif
