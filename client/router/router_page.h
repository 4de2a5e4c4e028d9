/* SPDX-License-Identifier: Apache-2.0 */
/* The router's figures as a page that renews itself each second, without scripts.
 *
 * Ownership: malloc'd. Errors: NULL is no memory. Threads: the loop's. */
#ifndef ROUTER_PAGE_H
#define ROUTER_PAGE_H

#include "client/router/router_work.h"

char *router_page_make(const struct router_work *work);

#endif
