/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mavx512f and others (CMakeLists.txt); runs only where learn_kernel_choose has seen
 * them supported. */
#include "server/learn/kernel.h"

#ifdef __x86_64__
#include "server/learn/kernel_body.h"

const struct learn_kernel learn_kernel_avx512 = {body_pass, body_update, body_derivatives,
                                                 body_sums};
#endif
