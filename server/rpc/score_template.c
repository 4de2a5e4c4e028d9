/* SPDX-License-Identifier: Apache-2.0 */
/* The members are written as any reply is, by the names of the table, but with numbers of a fixed
 * width whose places are noted. Without memory there is no template. */
#include "server/rpc/score_template.h"

#include "server/rpc/call.h"

bool rpc_score_template_init(struct rpc_score_template *template)
{
    const struct proto_op_info *op = proto_op_find(PROTO_OP_SCORE);
    struct proto_writer out;
    proto_writer_init(&out);
    template->icp = rpc_put_wide(&out, op, PROTO_A_SCORE_ICP, PROTO_MARK_U32, 4);
    template->seq = rpc_put_wide(&out, op, PROTO_A_SCORE_SEQ, PROTO_MARK_U64, 8);
    rpc_put_flag(&out, op, PROTO_A_SCORE_FOUND, true);
    template->found = out.bytes - 1;
    rpc_put_flag(&out, op, PROTO_A_SCORE_TAL, false);
    template->tal = out.bytes - 1;
    template->fit = rpc_put_wide(&out, op, PROTO_A_SCORE_FIT, PROTO_MARK_F64, 8);
    template->p = rpc_put_wide(&out, op, PROTO_A_SCORE_P, PROTO_MARK_F64, 8);
    template->grade = rpc_put_wide(&out, op, PROTO_A_SCORE_GRADE, PROTO_MARK_FIXSTR | 1, 1);
    template->raw = rpc_put_wide(&out, op, PROTO_A_SCORE_RAW, PROTO_MARK_I64, 8);
    bool good = proto_writer_ok(&out) && out.bytes <= sizeof template->bytes;
    if (good) {
        memcpy(template->bytes, out.data, out.bytes);
        template->size = out.bytes;
    }
    proto_writer_fini(&out);
    return good;
}
