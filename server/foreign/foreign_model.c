/* SPDX-License-Identifier: Apache-2.0 */
/* Which kind of file it is, where a fault stands, and the model's own margin. */
#include "server/foreign/foreign_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void foreign_model_destroy(struct foreign_model *model)
{
    if (model != NULL) {
        for (size_t i = 0; i < model->feature_count; i++) {
            free(model->features[i]);
        }
        free(model->features);
        free(model->nodes);
        free(model->firsts);
        free(model->categories);
        free(model);
    }
}

/* Puts the place before the message. */
static void fault_place(const struct foreign_reader *reader, struct proto_fault *fault)
{
    char message[sizeof fault->message];
    char place[64];
    size_t line = 1;
    size_t begins = 0;
    for (size_t i = 0; i < reader->failed_at && i < reader->bytes; i++) {
        if (reader->data[i] == '\n') {
            line++;
            begins = i + 1;
        }
    }
    if (reader->binary) {
        (void)snprintf(place, sizeof place, "byte %zu", reader->failed_at);
    } else {
        (void)snprintf(place, sizeof place, "line %zu, column %zu", line,
                       reader->failed_at - begins + 1);
    }
    memcpy(message, fault->message, sizeof message);
    (void)snprintf(fault->message, sizeof fault->message, "%s: %.420s", place, message);
}

/* UBJSON's first key has a length before it, JSON's a quote. */
static bool is_ubjson(struct proto_span bytes)
{
    return bytes.bytes > 1 && bytes.data[0] == '{' && memchr("UiIlL$#", bytes.data[1], 7) != NULL;
}

static bool is_object(struct proto_span bytes)
{
    size_t at = 0;
    while (at < bytes.bytes && memchr(" \t\r\n", bytes.data[at], 4) != NULL) {
        at++;
    }
    return at < bytes.bytes && bytes.data[at] == '{';
}

static bool is_lightgbm(struct proto_span bytes)
{
    return bytes.bytes > 5 &&
           (memcmp(bytes.data, "tree\n", 5) == 0 || memcmp(bytes.data, "tree\r", 5) == 0);
}

struct foreign_model *foreign_model_read(struct proto_span bytes, struct proto_fault *fault)
{
    if (bytes.bytes > FOREIGN_BYTES_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "", "%zu bytes; a model has at most %zu",
                        bytes.bytes, FOREIGN_BYTES_MAX);
        return NULL;
    }
    struct foreign_model *model = calloc(1, sizeof *model);
    struct foreign_reader *reader = malloc(sizeof *reader);
    bool ok = model != NULL && reader != NULL;
    if (!ok) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the model");
    } else {
        model->scale = 1.0;
        foreign_reader_init(reader, bytes, is_ubjson(bytes), fault);
        model->kind = is_lightgbm(bytes) ? FOREIGN_LIGHTGBM : FOREIGN_XGBOOST;
        ok = is_lightgbm(bytes) ? foreign_lightgbm_read(model, bytes, reader)
             : is_object(bytes) ? foreign_xgboost_read(model, reader)
                                : foreign_fail(reader, 0,
                                               "neither a model of XGBoost (JSON or UBJSON) nor of "
                                               "LightGBM (text)");
        if (!ok && reader->failed) {
            fault_place(reader, fault);
        } else if (!ok) {
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the model");
        }
    }
    free(reader);
    if (!ok) {
        foreign_model_destroy(model);
        return NULL;
    }
    return model;
}

/* A number is the category that it begins with; what is below zero is in no set, which of LightGBM
 * begins at −1. */
static bool in_set(const struct foreign_model *model, const struct foreign_node *node, double value)
{
    if (model->kind == FOREIGN_XGBOOST && value < 0) {
        return false;
    }
    value = trunc(value);
    for (uint32_t i = 0; i < node->set_count; i++) {
        if (model->categories[node->set_first + i] == value) {
            return true;
        }
    }
    return false;
}

bool foreign_goes_left(const struct foreign_model *model, const struct foreign_node *node,
                       double value)
{
    if (node->missing == FOREIGN_MISSING_NONE && isnan(value)) {
        value = 0;
    }
    if (isnan(value) || (node->missing == FOREIGN_MISSING_ZERO && fabs(value) <= 1e-35)) {
        return node->missing_left;
    }
    if (node->categorical) {
        return in_set(model, node, value) == node->set_left;
    }
    return model->kind == FOREIGN_XGBOOST ? (float)value < (float)node->threshold
                                          : value <= node->threshold;
}

double foreign_model_margin(const struct foreign_model *model, const double *values)
{
    double sum = model->base;
    for (size_t t = 0; t < model->tree_count; t++) {
        const struct foreign_node *node = &model->nodes[model->firsts[t]];
        while (!node->leaf) {
            node = foreign_goes_left(model, node, values[node->feature])
                       ? node + 1
                       : &model->nodes[node->right];
        }
        sum += node->value * model->scale;
    }
    return sum;
}
