/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix of operations and roles, made by asking the rule that the server asks, and how a
 * connection comes by a role. */
#include "proto/table.h"
#include "tools/reference/reference.h"

static void ways_print(FILE *out)
{
    (void)fputs(
        "A connection has one role at a time, by what it shows in `hello`:\n\n"
        "| The server has | A connection that shows | Its role |\n|---|---|---|\n"
        "| no token at all | anything or nothing | `admin` (such a server listens on loopback "
        "only) |\n"
        "| tokens, of either kind | nothing yet | `none` |\n"
        "| tokens | a wrong token, or one that has expired | as before; `bad-token` |\n"
        "| `read_token`, `write_token`, `admin_token` | that one | `read`, `write`, `admin` |\n"
        "| `tokens_file` | a named token | the role of its line |\n"
        "| `tls_client_ca` | a certificate that it wants | as without: a certificate lets a client "
        "in, its token says what it may do |\n\n"
        "The Unix socket and TLS are as TCP. HTTP takes the same tokens: `/metrics` needs the "
        "role `metrics`, `/livez` and `/readyz` need none.\n\n"
        "`read` holds what `metrics` and `score` may, which do not hold each other; `write` holds "
        "`read`, `admin` holds all.\n",
        out);
}

void reference_page_roles(FILE *out)
{
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    reference_title(out, "Roles", "proto/op.def and proto/table.h");
    ways_print(out);
    (void)fputs("\n## Operations\n\n`yes`: a connection of that role may ask for it; anything "
                "else is answered `denied`.\n\n| Operation |",
                out);
    for (int role = PROTO_ROLE_NONE; role <= PROTO_ROLE_ADMIN; role++) {
        (void)fprintf(out, " %s |", proto_role_name((enum proto_role)role));
    }
    (void)fputs("\n|---|", out);
    for (int role = PROTO_ROLE_NONE; role <= PROTO_ROLE_ADMIN; role++) {
        (void)fputs("---|", out);
    }
    (void)fputs("\n", out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "| [%s](operations.md#%s) |", ops[i].name, ops[i].name);
        for (int role = PROTO_ROLE_NONE; role <= PROTO_ROLE_ADMIN; role++) {
            bool may = proto_role_allows((enum proto_role)role, ops[i].role);
            (void)fputs(may ? " yes |" : " |", out);
        }
        (void)fputs("\n", out);
    }
}
