/* SPDX-License-Identifier: Apache-2.0 */
/* The map: what each feature that some split asks is. Every name that is not known is told with
 * what there is. */
#include <stdlib.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "server/feature/span_text.h"
#include "server/foreign/foreign_parts.h"

void foreign_map_fini(struct foreign_use *uses, size_t count)
{
    for (size_t i = 0; uses != NULL && i < count; i++) {
        free(uses[i].text);
        free(uses[i].categories);
    }
    free(uses);
}

static bool feature_fault(struct proto_fault *fault, const char *feature, const char *what)
{
    char shown[FEATURE_SHOWN_BYTES];
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "map", "feature \"%s\": %s",
                           feature_text_show(proto_span_text(feature), shown, sizeof shown), what);
}

static const struct feature_field *field_find(const struct feature_schema *schema,
                                              const char *feature, struct proto_span name,
                                              bool mapped, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    char missing[FEATURE_SHOWN_BYTES];
    const struct feature_field *field = feature_schema_find(schema, name);
    if (field == NULL) {
        proto_fault_set(fault, PROTO_BAD_DOCUMENT, "map",
                        "feature \"%s\": the schema has no field \"%s\"; %s",
                        feature_text_show(proto_span_text(feature), shown, sizeof shown),
                        feature_text_show(name, missing, sizeof missing),
                        mapped ? "'icp schema get' shows those it has"
                               : "say which it is: --map 'FEATURE=FIELD', or a file");
    }
    return field;
}

static bool categories_read(const json_t *list, const char *feature, struct foreign_use *use,
                            struct proto_fault *fault)
{
    size_t count = json_array_size(list);
    if (count == 0 || count > PROTO_BINS_MAX - 2) {
        return feature_fault(fault, feature, "categories: a list of 1 to 253 texts is wanted");
    }
    use->categories = calloc(count, sizeof *use->categories);
    if (use->categories == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the map");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        struct proto_span text = feature_json_span(item);
        if (!json_is_string(item) || text.bytes == 0 || text.bytes > PROTO_CATEGORY_BYTES_MAX ||
            strlen(json_string_value(item)) != text.bytes) {
            return feature_fault(fault, feature, "categories: texts are wanted");
        }
        use->categories[i] = (char *)(uintptr_t)json_string_value(item);
    }
    use->category_count = count;
    return true;
}

/* { "field": …, "equals" | "has" | "categories": … } */
static bool object_read(const json_t *object, const char *feature,
                        const struct feature_schema *schema, struct foreign_use *use,
                        struct proto_fault *fault)
{
    static const char *const names[] = {"field", "equals", "has", "categories"};
    const json_t *field = json_object_get(object, "field");
    const json_t *text = json_object_get(object, "equals");
    const json_t *list = json_object_get(object, "categories");
    size_t said = 0U + (text != NULL) + (list != NULL) + (json_object_get(object, "has") != NULL);
    if (!feature_json_members_known(object, names, 4, PROTO_BAD_DOCUMENT, fault)) {
        return proto_fault_within(fault, "map.%.80s", feature);
    }
    if (!json_is_string(field) || said > 1) {
        return feature_fault(fault, feature,
                             "\"field\" and at most one of \"equals\", \"has\" and \"categories\" "
                             "are wanted");
    }
    use->how = text != NULL   ? FOREIGN_EQUALS
               : list != NULL ? FOREIGN_CATEGORIES
               : said > 0     ? FOREIGN_HAS
                              : FOREIGN_VALUE;
    text = text != NULL ? text : json_object_get(object, "has");
    if (text != NULL) {
        struct proto_span span = feature_json_span(text);
        if (!json_is_string(text) || span.bytes == 0 || span.bytes > PROTO_CATEGORY_BYTES_MAX ||
            strlen(json_string_value(text)) != span.bytes) {
            return feature_fault(fault, feature, "a text is wanted");
        }
        use->text = strdup(json_string_value(text));
        if (use->text == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the map");
        }
    }
    use->field = field_find(schema, feature, feature_json_span(field), true, fault);
    return use->field != NULL && (list == NULL || categories_read(list, feature, use, fault));
}

/* That the field can be what is asked of it. */
static bool type_check(const struct foreign_use *use, const char *feature, bool categorical,
                       struct proto_fault *fault)
{
    enum feature_type type = use->field->type;
    bool fits = use->how == FOREIGN_VALUE ? type == FEATURE_NUMBER || type == FEATURE_FLAG
                : use->how == FOREIGN_HAS ? type == FEATURE_TAGS
                                          : type == FEATURE_CATEGORY;
    if (fits && categorical && use->how != FOREIGN_CATEGORIES && type != FEATURE_NUMBER) {
        return feature_fault(fault, feature,
                             "it is a category of the model: say \"categories\" with its texts in "
                             "the model's order, or name a number field with their numbers");
    }
    if (fits && !categorical && use->how == FOREIGN_CATEGORIES) {
        return feature_fault(fault, feature,
                             "it is a number of the model, not a category: \"equals\" makes one of "
                             "a text");
    }
    return fits ||
           feature_fault(fault, feature,
                         type == FEATURE_CATEGORY
                             ? "the field is a category: say \"equals\" or \"categories\""
                         : type == FEATURE_TAGS ? "the field is of tags: say \"has\""
                         : type == FEATURE_DATE || type == FEATURE_VECTOR
                             ? "dates and vectors are not scored: name another field"
                             : "\"equals\" and \"categories\" are of category fields, \"has\" of "
                               "tags");
}

/* How the model itself uses a feature. */
struct asked {
    bool any, categorical;
};

static bool feature_read(const json_t *map, const char *feature, const struct asked *asked,
                         const struct feature_schema *schema, struct foreign_use *use,
                         struct proto_fault *fault)
{
    const json_t *entry = map != NULL ? json_object_get(map, feature) : NULL;
    if (json_is_object(entry)) {
        if (!object_read(entry, feature, schema, use, fault)) {
            return false;
        }
    } else if (entry != NULL && !json_is_string(entry)) {
        return feature_fault(fault, feature, "the name of a field, or an object, is wanted");
    } else {
        struct proto_span name =
            entry != NULL ? feature_json_span(entry) : proto_span_text(feature);
        use->field = field_find(schema, feature, name, entry != NULL, fault);
    }
    return use->field != NULL && type_check(use, feature, asked->categorical, fault);
}

/* Every name of the map is a feature of the model. */
static bool names_check(const json_t *map, const struct foreign_model *model,
                        struct proto_fault *fault)
{
    return map == NULL ||
           (json_is_object(map)
                ? feature_json_members_known(map, (const char *const *)model->features,
                                             model->feature_count, PROTO_BAD_DOCUMENT, fault) ||
                      proto_fault_within(fault, "map")
                : proto_fault_set(fault, PROTO_BAD_DOCUMENT, "map",
                                  "an object is wanted: features and what they are"));
}

bool foreign_map_read(const json_t *map, const struct foreign_model *model,
                      const struct feature_schema *schema, struct foreign_use *uses,
                      struct proto_fault *fault)
{
    struct asked *asked = calloc(model->feature_count + 1, sizeof *asked);
    if (asked == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the map");
    }
    bool ok = names_check(map, model, fault);
    for (size_t i = 0; ok && i < model->node_count; i++) {
        const struct foreign_node *node = &model->nodes[i];
        if (!node->leaf) {
            struct asked *of = &asked[node->feature];
            ok = !of->any || of->categorical == node->categorical ||
                 feature_fault(fault, model->features[node->feature],
                               "one split takes it for a category, another for a number");
            of->any = true;
            of->categorical = node->categorical;
        }
    }
    for (size_t f = 0; ok && f < model->feature_count; f++) {
        ok = !asked[f].any ||
             feature_read(map, model->features[f], &asked[f], schema, &uses[f], fault);
    }
    free(asked);
    return ok;
}
