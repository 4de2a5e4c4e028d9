/* SPDX-License-Identifier: Apache-2.0 */
/* All --map are gathered into one, the model is read, its features are bound to fields of the
 * schema, and what comes of it is printed as a document. The first step that fails says so, with
 * the file and where in it, and those behind are passed over. */
#include "tools/cli/model_file.h"

#include <stdlib.h>

#include "server/foreign/foreign_bind.h"
#include "tools/cli/csv/csv_input.h"

#define MAP_BYTES_MAX ((size_t)4 << 20)

/* A map is a file if it has no sign of equality in it. */
static int map_file(const struct cli *cli, const char *path, json_t *map)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    uint8_t *data = csv_file_read(path, MAP_BYTES_MAX, &bytes, &fault);
    if (data == NULL) {
        return cli_file_fault(cli, &fault);
    }
    json_error_t error;
    json_t *read = json_loadb((const char *)data, bytes, JSON_REJECT_DUPLICATES, &error);
    free(data);
    int status = EX_OK;
    if (read == NULL) {
        status = cli_fail(cli, EX_DATAERR, "%s, line %d, column %d: %s", path, error.line,
                          error.column, error.text);
    } else if (!json_is_object(read)) {
        status =
            cli_fail(cli, EX_DATAERR, "%s: an object is wanted: features and their fields", path);
    } else if (json_object_update(map, read) != 0) {
        status = cli_fail(cli, EX_OSERR, "no memory for the map");
    }
    json_decref(read);
    return status;
}

/* All --map together; NULL where there is none. */
static int map_read(const struct cli *cli, json_t **map)
{
    size_t at = 0;
    int status = EX_OK;
    *map = cli_has(cli, CLI_ICP_IMPORT_MAP) ? json_object() : NULL;
    for (const char *text; status == EX_OK && (text = cli_each(cli, CLI_ICP_IMPORT_MAP, &at));) {
        const char *sign = strrchr(text, '=');
        if (sign == NULL) {
            status = map_file(cli, text, *map);
        } else if (sign == text || sign[1] == '\0') {
            status =
                cli_fail(cli, EX_USAGE, "--map: '%s' is none such as company_size=employees", text);
        } else {
            char *feature = strndup(text, (size_t)(sign - text));
            if (feature == NULL || json_object_set_new(*map, feature, json_string(sign + 1)) != 0) {
                status = cli_fail(cli, EX_DATAERR, "--map: '%s' is not UTF-8", text);
            }
            free(feature);
        }
    }
    return status;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void told_fill(const struct foreign_model *model, const struct foreign_use *uses,
                      const struct foreign_bound *bound, struct model_told *told)
{
    (void)snprintf(told->what, sizeof told->what, "%s%s%s, %.40s",
                   model->kind == FOREIGN_XGBOOST ? "XGBoost" : "LightGBM",
                   model->version[0] != '\0' ? " " : "", model->version, model->objective);
    told->trees = model->tree_count;
    told->leaves = (model->node_count + model->tree_count) / 2;
    for (size_t f = 0; f < model->feature_count; f++) {
        told->features += uses[f].field != NULL;
    }
    for (size_t c = 0; c < bound->codebook->column_count; c++) {
        told->fields += c == 0 || bound->codebook->columns[c].field_id !=
                                      bound->codebook->columns[c - 1].field_id;
    }
}

/* From the model to the document; the map must outlive the call. */
static bool document_make(const struct foreign_model *model, const struct feature_schema *schema,
                          const struct foreign_draft *draft, char **document,
                          struct model_told *told, struct proto_fault *fault)
{
    struct foreign_bound bound = {0};
    struct foreign_use *uses = calloc(model->feature_count + 1, sizeof *uses);
    *document = NULL;
    if (uses == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the model");
    } else if (foreign_map_read(draft->map, model, schema, uses, fault) &&
               foreign_bind(model, uses, schema, &bound, fault)) {
        told_fill(model, uses, &bound, told);
        *document = foreign_draft_print(model, &bound, schema, draft, fault);
    }
    foreign_bound_fini(&bound);
    foreign_map_fini(uses, model->feature_count);
    return *document != NULL;
}

int model_file_read(const struct cli *cli, const char *path, const struct feature_schema *schema,
                    const char *name, char **document, struct model_told *told)
{
    struct proto_fault fault = {.code = PROTO_OK};
    json_t *map = NULL;
    size_t bytes = 0;
    *told = (struct model_told){.trees = 0};
    int status = map_read(cli, &map);
    uint8_t *data = status == EX_OK ? csv_file_read(path, FOREIGN_BYTES_MAX, &bytes, &fault) : NULL;
    if (status == EX_OK && data == NULL) {
        status = cli_file_fault(cli, &fault);
    }
    struct foreign_model *model =
        status == EX_OK ? foreign_model_read((struct proto_span){data, bytes}, &fault) : NULL;
    if (status == EX_OK && model == NULL) {
        status = cli_fail(cli, EX_DATAERR, "%s, %s", path, fault.message);
    }
    struct foreign_draft draft = {.name = name, .file = base_name(path), .map = map};
    if (status == EX_OK && model != NULL &&
        !document_make(model, schema, &draft, document, told, &fault)) {
        status = cli_fail(cli, EX_DATAERR, "%s: %s%s%s%s", path, fault.message,
                          fault.field[0] != '\0' ? " (" : "", fault.field,
                          fault.field[0] != '\0' ? ")" : "");
    }
    foreign_model_destroy(model);
    free(data);
    json_decref(map);
    return status;
}
