/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors that no table gives: encodings, malformed payloads, frame headers. Reviewed by hand
 * against the MessagePack specification and docs/protocol.md. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/vectors/vectors.h"

/* A payload is written in hex; <text> is short for a fixstr, spaces are for the eye. */
struct payload_row {
    const char *name;
    uint8_t op;
    const char *payload;
    const char *json;  /* what it decodes to; NULL: it is bad */
    const char *error; /* else these, and the layer that refuses it */
    const char *field;
    const char *layer;
};

#define SCORE PROTO_OP_SCORE
#define PING PROTO_OP_PING
#define MANY PROTO_OP_SCORE_MANY
#define PUT PROTO_OP_ACCOUNT_PUT
#define GOOD(json) (json), NULL, NULL, NULL
#define FORM(error, field) NULL, (error), (field), "form"
#define TABLE(error, field) NULL, (error), (field), "table"

static const struct payload_row payload_rows[] = {
    /* Every width of a number where a whole number is meant. */
    {"uint as positive fixint", SCORE, "81 <reasons> 03", GOOD("{\"reasons\":3}")},
    {"uint as uint 8", SCORE, "81 <reasons> cc 03", GOOD("{\"reasons\":3}")},
    {"uint as uint 16", SCORE, "81 <reasons> cd 0003", GOOD("{\"reasons\":3}")},
    {"uint as uint 32", SCORE, "81 <reasons> ce 00000003", GOOD("{\"reasons\":3}")},
    {"uint as uint 64", SCORE, "81 <reasons> cf 0000000000000003", GOOD("{\"reasons\":3}")},
    {"uint as int 8", SCORE, "81 <reasons> d0 03", GOOD("{\"reasons\":3}")},
    {"uint as int 16", SCORE, "81 <reasons> d1 0003", GOOD("{\"reasons\":3}")},
    {"uint as int 32", SCORE, "81 <reasons> d2 00000003", GOOD("{\"reasons\":3}")},
    {"uint as int 64", SCORE, "81 <reasons> d3 0000000000000003", GOOD("{\"reasons\":3}")},
    {"uint as float 32", SCORE, "81 <reasons> ca 40400000", GOOD("{\"reasons\":3.0}")},
    {"uint as float 64", SCORE, "81 <reasons> cb 4008000000000000", GOOD("{\"reasons\":3.0}")},
    {"uint as negative zero", SCORE, "81 <reasons> cb 8000000000000000", GOOD("{\"reasons\":0}")},
    {"uint 127", SCORE, "81 <icp> 7f", GOOD("{\"icp\":127}")},
    {"uint 128", SCORE, "81 <icp> cc 80", GOOD("{\"icp\":128}")},
    {"uint 255", SCORE, "81 <icp> cc ff", GOOD("{\"icp\":255}")},
    {"uint 256", SCORE, "81 <icp> cd 0100", GOOD("{\"icp\":256}")},
    {"uint 65535", SCORE, "81 <icp> cd ffff", GOOD("{\"icp\":65535}")},
    {"uint 65536", SCORE, "81 <icp> ce 00010000", GOOD("{\"icp\":65536}")},
    {"uint 2^32-1", SCORE, "81 <icp> ce ffffffff", GOOD("{\"icp\":4294967295}")},
    {"uint 2^32", SCORE, "81 <icp> cf 0000000100000000", GOOD("{\"icp\":4294967296}")},
    {"uint 2^53", SCORE, "81 <icp> cf 0020000000000000", GOOD("{\"icp\":9007199254740992}")},
    {"uint 2^53+1", SCORE, "81 <icp> cf 0020000000000001",
     GOOD("{\"icp\":{\"$int\":\"9007199254740993\"}}")},
    {"uint 2^63-1", SCORE, "81 <icp> cf 7fffffffffffffff",
     GOOD("{\"icp\":{\"$int\":\"9223372036854775807\"}}")},
    {"uint 2^63-1 as int 64", SCORE, "81 <icp> d3 7fffffffffffffff",
     GOOD("{\"icp\":{\"$int\":\"9223372036854775807\"}}")},
    /* Values, which may be anything. */
    {"value -1", SCORE, "81 <values> 81 <x> ff", GOOD("{\"values\":{\"x\":-1}}")},
    {"value -32", SCORE, "81 <values> 81 <x> e0", GOOD("{\"values\":{\"x\":-32}}")},
    {"value -33", SCORE, "81 <values> 81 <x> d0 df", GOOD("{\"values\":{\"x\":-33}}")},
    {"value -128", SCORE, "81 <values> 81 <x> d0 80", GOOD("{\"values\":{\"x\":-128}}")},
    {"value -129", SCORE, "81 <values> 81 <x> d1 ff7f", GOOD("{\"values\":{\"x\":-129}}")},
    {"value -32768", SCORE, "81 <values> 81 <x> d1 8000", GOOD("{\"values\":{\"x\":-32768}}")},
    {"value -2^31", SCORE, "81 <values> 81 <x> d2 80000000",
     GOOD("{\"values\":{\"x\":-2147483648}}")},
    {"value -2^53-1", SCORE, "81 <values> 81 <x> d3 ffdfffffffffffff",
     GOOD("{\"values\":{\"x\":{\"$int\":\"-9007199254740993\"}}}")},
    {"value -2^63", SCORE, "81 <values> 81 <x> d3 8000000000000000",
     GOOD("{\"values\":{\"x\":{\"$int\":\"-9223372036854775808\"}}}")},
    {"value 2^64-1", SCORE, "81 <values> 81 <x> cf ffffffffffffffff",
     GOOD("{\"values\":{\"x\":{\"$int\":\"18446744073709551615\"}}}")},
    {"value 0.5 as float 32", SCORE, "81 <values> 81 <x> ca 3f000000",
     GOOD("{\"values\":{\"x\":0.5}}")},
    {"value 0.1 as float 64", SCORE, "81 <values> 81 <x> cb 3fb999999999999a",
     GOOD("{\"values\":{\"x\":0.1}}")},
    {"value 0.1 as float 32", SCORE, "81 <values> 81 <x> ca 3dcccccd",
     GOOD("{\"values\":{\"x\":0.10000000149011612}}")},
    {"value: largest float 64", SCORE, "81 <values> 81 <x> cb 7fefffffffffffff",
     GOOD("{\"values\":{\"x\":1.7976931348623157e308}}")},
    {"value: smallest subnormal", SCORE, "81 <values> 81 <x> cb 0000000000000001",
     GOOD("{\"values\":{\"x\":4.9406564584124654e-324}}")},
    {"value nil", SCORE, "81 <values> 81 <x> c0", GOOD("{\"values\":{\"x\":null}}")},
    {"values true and false", SCORE, "81 <values> 82 <x> c3 <y> c2",
     GOOD("{\"values\":{\"x\":true,\"y\":false}}")},
    {"value bin 8", SCORE, "81 <values> 81 <x> c4 04 0000803f",
     GOOD("{\"values\":{\"x\":{\"$bin\":\"0000803f\"}}}")},
    {"value bin 16", SCORE, "81 <values> 81 <x> c5 0001 ff",
     GOOD("{\"values\":{\"x\":{\"$bin\":\"ff\"}}}")},
    {"value bin 32, empty", SCORE, "81 <values> 81 <x> c6 00000000",
     GOOD("{\"values\":{\"x\":{\"$bin\":\"\"}}}")},
    {"value: empty array and map", SCORE, "81 <values> 82 <x> 90 <y> 80",
     GOOD("{\"values\":{\"x\":[],\"y\":{}}}")},
    /* Heads of every width. */
    {"str 8", SCORE, "81 <id> d9 02 6162", GOOD("{\"id\":\"ab\"}")},
    {"str 16", SCORE, "81 <id> da 0002 6162", GOOD("{\"id\":\"ab\"}")},
    {"str 32", SCORE, "81 <id> db 00000002 6162", GOOD("{\"id\":\"ab\"}")},
    {"str of 32 bytes", SCORE,
     "81 <id> d9 20 3030303030303030303030303030303030303030303030303030303030303030",
     GOOD("{\"id\":\"00000000000000000000000000000000\"}")},
    {"key as str 8", SCORE, "81 d9 02 6964 <a>", GOOD("{\"id\":\"a\"}")},
    {"empty str", SCORE, "81 <id> a0", GOOD("{\"id\":\"\"}")},
    {"array 16", MANY, "81 <ids> dc 0002 <a> <b>", GOOD("{\"ids\":[\"a\",\"b\"]}")},
    {"array 32", MANY, "81 <ids> dd 00000001 <a>", GOOD("{\"ids\":[\"a\"]}")},
    {"empty array", MANY, "81 <ids> 90", GOOD("{\"ids\":[]}")},
    {"map 16", SCORE, "de 0001 <id> <a>", GOOD("{\"id\":\"a\"}")},
    {"map 32", SCORE, "df 00000001 <id> <a>", GOOD("{\"id\":\"a\"}")},
    {"keys against the order of the table", SCORE, "83 <reasons> 01 <key> <k> <id> <a>",
     GOOD("{\"reasons\":1,\"key\":\"k\",\"id\":\"a\"}")},
    {"no payload at all", PING, "", GOOD("{}")},
    {"empty map", PING, "80", GOOD("{}")},
    {"empty map as map 32", PING, "df 00000000", GOOD("{}")},
    {"deadline as float", PING, "81 <deadline_ms> cb 407f400000000000",
     GOOD("{\"deadline_ms\":500.0}")},
    {"sequence to wait for", PING, "81 <min_seq> cd 0384", GOOD("{\"min_seq\":900}")},
    {"age that is allowed", PING, "81 <max_age_ms> 05", GOOD("{\"max_age_ms\":5}")},
    {"one key on two levels", SCORE, "82 <id> <a> <values> 81 <id> <b>",
     GOOD("{\"id\":\"a\",\"values\":{\"id\":\"b\"}}")},
    {"unknown keys of every kind", PING,
     "88 <a> c0 <b> c3 <c> 05 <d> ca 3f000000 <e> <t> <f> c4 01 00 <g> 91 01 <h> 81 <i> 01",
     GOOD("{\"a\":null,\"b\":true,\"c\":5,\"d\":0.5,\"e\":\"t\",\"f\":{\"$bin\":\"00\"},"
          "\"g\":[1],\"h\":{\"i\":1}}")},
    {"nesting of 8 levels", SCORE, "81 <values> 81 <x> 91 91 91 91 91 90",
     GOOD("{\"values\":{\"x\":[[[[[[]]]]]]}}")},
    /* Text. */
    {"text of 2-byte characters", SCORE, "81 <id> a4 c3a9 dfbf",
     GOOD("{\"id\":\"\\u00e9\\u07ff\"}")},
    {"text of 3-byte characters", SCORE, "81 <id> a6 e0a080 efbfbf",
     GOOD("{\"id\":\"\\u0800\\uffff\"}")},
    {"text of 4-byte characters", SCORE, "81 <id> a8 f0908080 f48fbfbf",
     GOOD("{\"id\":\"\\ud800\\udc00\\udbff\\udfff\"}")},
    {"text beside the surrogates", SCORE, "81 <id> a6 ed9fbf ee8080",
     GOOD("{\"id\":\"\\ud7ff\\ue000\"}")},
    {"text with a zero byte", SCORE, "81 <id> a3 610062", GOOD("{\"id\":\"a\\u0000b\"}")},
    {"key beyond ASCII", SCORE, "81 <values> 81 a2 c3a9 01", GOOD("{\"values\":{\"\\u00e9\":1}}")},

    /* The payload is no map. */
    {"payload is an array", PING, "90", FORM("bad-payload", "")},
    {"payload is nil", PING, "c0", FORM("bad-payload", "")},
    {"payload is an integer", PING, "05", FORM("bad-payload", "")},
    {"payload is a float", PING, "ca 3f000000", FORM("bad-payload", "")},
    {"payload is a str", PING, "<id>", FORM("bad-payload", "")},
    {"payload is a bin", PING, "c4 01 80", FORM("bad-payload", "")},
    {"payload is a bool", PING, "c3", FORM("bad-payload", "")},
    {"payload is an ext", PING, "d4 05 00", FORM("bad-payload", "")},
    {"payload is the byte c1", PING, "c1", FORM("bad-payload", "")},
    {"value is the byte c1", SCORE, "81 <values> 81 <x> c1", FORM("bad-payload", "values.x")},
    {"trailing nil", SCORE, "81 <id> <a> c0", FORM("bad-payload", "")},
    {"trailing map", SCORE, "80 80", FORM("bad-payload", "")},
    {"trailing zero byte", PING, "80 00", FORM("bad-payload", "")},
    /* Keys. */
    {"integer key", SCORE, "81 01 <a>", FORM("bad-payload", "")},
    {"nil key", SCORE, "81 c0 <a>", FORM("bad-payload", "")},
    {"bin key", SCORE, "81 c4 02 6964 <a>", FORM("bad-payload", "")},
    {"float key", SCORE, "81 ca 3f000000 <a>", FORM("bad-payload", "")},
    {"array key", SCORE, "81 90 <a>", FORM("bad-payload", "")},
    {"integer key within values", SCORE, "81 <values> 81 01 02", FORM("bad-payload", "values")},
    {"bool key within an account", PUT, "81 <accounts> 91 81 c3 c3",
     FORM("bad-payload", "accounts[0]")},
    {"known key twice, same value", SCORE, "82 <id> <a> <id> <a>", FORM("duplicate-key", "id")},
    {"known key twice in two widths", SCORE, "82 <id> <a> d9 02 6964 <b>",
     FORM("duplicate-key", "id")},
    {"unknown key twice", SCORE, "83 <new> 01 <id> <a> <new> 02", FORM("duplicate-key", "new")},
    {"deadline twice", PING, "82 <deadline_ms> 01 <deadline_ms> 02",
     FORM("duplicate-key", "deadline_ms")},
    {"sequence to wait for twice", PING, "82 <min_seq> 01 <min_seq> 02",
     FORM("duplicate-key", "min_seq")},
    {"key twice within values", SCORE, "81 <values> 82 <x> 01 <x> 02",
     FORM("duplicate-key", "values.x")},
    {"key twice within an account", PUT, "81 <accounts> 92 80 81 <values> 83 <a> 01 <b> 02 <a> 03",
     FORM("duplicate-key", "accounts[1].values.a")},
    {"key twice among many", SCORE,
     "81 <values> 8a <a> 01 <b> 01 <c> 01 <d> 01 <e> 01 <f> 01 <g> 01 <h> 01 <i> 01 <a> 01",
     FORM("duplicate-key", "values.a")},
    {"key twice within what is unknown", PING, "81 <new> 82 <x> 01 <x> 02",
     FORM("duplicate-key", "new.x")},
    /* Numbers that are none. */
    {"NaN as float 32", SCORE, "81 <values> 81 <x> ca 7fc00000", FORM("bad-field", "values.x")},
    {"NaN as float 64", SCORE, "81 <values> 81 <x> cb 7ff8000000000000",
     FORM("bad-field", "values.x")},
    {"NaN with sign and payload", SCORE, "81 <values> 81 <x> cb fff0000000000001",
     FORM("bad-field", "values.x")},
    {"infinity as float 32", SCORE, "81 <values> 81 <x> ca 7f800000",
     FORM("bad-field", "values.x")},
    {"infinity as float 64", SCORE, "81 <values> 81 <x> cb 7ff0000000000000",
     FORM("bad-field", "values.x")},
    {"negative infinity", SCORE, "81 <values> 81 <x> cb fff0000000000000",
     FORM("bad-field", "values.x")},
    {"NaN where a uint is meant", SCORE, "81 <reasons> cb 7ff8000000000000",
     FORM("bad-field", "reasons")},
    {"NaN within an array of an account", PUT,
     "81 <accounts> 91 81 <values> 81 <v> 92 01 ca 7fc00000",
     FORM("bad-field", "accounts[0].values.v[1]")},
    /* Numbers out of range. */
    {"uint -1", SCORE, "81 <reasons> ff", TABLE("bad-field", "reasons")},
    {"uint -1 as float", SCORE, "81 <reasons> ca bf800000", TABLE("bad-field", "reasons")},
    {"uint 2^63", SCORE, "81 <reasons> cf 8000000000000000", TABLE("bad-field", "reasons")},
    {"uint 2^63 as float", SCORE, "81 <reasons> cb 43e0000000000000",
     TABLE("bad-field", "reasons")},
    {"uint 0.5", SCORE, "81 <reasons> ca 3f000000", TABLE("bad-field", "reasons")},
    {"deadline -1", PING, "81 <deadline_ms> ff", TABLE("bad-field", "deadline_ms")},
    {"deadline as text", PING, "81 <deadline_ms> <1>", TABLE("bad-field", "deadline_ms")},
    {"sequence to wait for -1", PING, "81 <min_seq> ff", TABLE("bad-field", "min_seq")},
    {"age as text", PING, "81 <max_age_ms> <1>", TABLE("bad-field", "max_age_ms")},
    {"nil is not a field left out", SCORE, "81 <id> c0", TABLE("bad-field", "id")},
    {"bin where text is meant", SCORE, "81 <id> c4 01 61", TABLE("bad-field", "id")},
    {"integer among the texts", MANY, "81 <ids> 93 <a> <b> 05", TABLE("bad-field", "ids[2]")},
    {"nil among the texts", MANY, "81 <ids> 91 c0", TABLE("bad-field", "ids[0]")},
    /* Extension types. */
    {"fixext 1", SCORE, "81 <id> d4 05 00", FORM("bad-field", "id")},
    {"fixext 2", SCORE, "81 <id> d5 05 0000", FORM("bad-field", "id")},
    {"fixext 4, the timestamp type", SCORE, "81 <values> 81 <x> d6 ff 00000000",
     FORM("bad-field", "values.x")},
    {"fixext 8, the timestamp type", SCORE, "81 <values> 81 <x> d7 ff 0000000000000000",
     FORM("bad-field", "values.x")},
    {"fixext 16", SCORE, "81 <values> 81 <x> d8 01 00000000000000000000000000000000",
     FORM("bad-field", "values.x")},
    {"ext 8", SCORE, "81 <values> 81 <x> c7 01 07 00", FORM("bad-field", "values.x")},
    {"ext 16", SCORE, "81 <values> 81 <x> c8 0001 07 00", FORM("bad-field", "values.x")},
    {"ext 32", SCORE, "81 <values> 81 <x> c9 00000001 07 00", FORM("bad-field", "values.x")},
    {"ext under an unknown key", PING, "81 <new> 91 d4 05 00", FORM("bad-field", "new[0]")},
    /* Text that is not UTF-8. */
    {"overlong 2-byte form", SCORE, "81 <id> a2 c0af", FORM("bad-field", "id")},
    {"overlong 3-byte form", SCORE, "81 <id> a3 e080af", FORM("bad-field", "id")},
    {"overlong 4-byte form", SCORE, "81 <id> a4 f08080af", FORM("bad-field", "id")},
    {"first surrogate", SCORE, "81 <id> a3 eda080", FORM("bad-field", "id")},
    {"last surrogate", SCORE, "81 <id> a3 edbfbf", FORM("bad-field", "id")},
    {"past U+10FFFF", SCORE, "81 <id> a4 f4908080", FORM("bad-field", "id")},
    {"stray tail byte", SCORE, "81 <id> a1 80", FORM("bad-field", "id")},
    {"cut character", SCORE, "81 <id> a2 e282", FORM("bad-field", "id")},
    {"Latin-1", SCORE, "81 <id> a6 5afc72696368", FORM("bad-field", "id")},
    {"bad UTF-8 in a key", SCORE, "81 a1 ff <a>", FORM("bad-payload", "")},
    {"bad UTF-8 in a value", SCORE, "81 <values> 81 <x> a1 ff", FORM("bad-field", "values.x")},
    {"bad UTF-8 among the texts", MANY, "81 <ids> 92 <a> a1 ff", FORM("bad-field", "ids[1]")},
    /* Counts and lengths that lie. */
    {"map of 15 pairs, none there", SCORE, "8f", FORM("bad-payload", "")},
    {"map of 2 pairs, one there", SCORE, "82 <id> <a>", FORM("bad-payload", "")},
    {"map of one pair without value", SCORE, "81 <id>", FORM("bad-payload", "id")},
    {"map 32 of 2^32-1 pairs", SCORE, "df ffffffff <id> <a>", FORM("too-large", "")},
    {"map of one key over the limit", SCORE, "de 0801 <id> <a>", FORM("too-large", "")},
    {"map over the limit within values", SCORE, "81 <values> de 0801 <id> <a>",
     FORM("too-large", "values")},
    {"array 32 of 2^32-1 elements", MANY, "81 <ids> dd ffffffff", FORM("bad-payload", "ids")},
    {"array of 2 elements, one there", MANY, "81 <ids> 92 <a>", FORM("bad-payload", "ids[1]")},
    {"nested arrays that claim much", PUT, "81 <accounts> dd 7fffffff dd 7fffffff dd 7fffffff",
     FORM("bad-payload", "accounts")},
    {"fixstr cut", SCORE, "81 <id> a3 6162", FORM("bad-payload", "id")},
    {"str 8 cut", SCORE, "81 <id> d9 ff 61", FORM("bad-payload", "id")},
    {"str 16 cut in its head", SCORE, "81 <id> da 00", FORM("bad-payload", "id")},
    {"str 32 of 2^32-1 bytes", SCORE, "81 <id> db ffffffff 61", FORM("bad-payload", "id")},
    {"bin 32 of 2^32-1 bytes", SCORE, "81 <values> 81 <x> c6 ffffffff 61",
     FORM("bad-payload", "values.x")},
    {"uint 64 cut", SCORE, "81 <reasons> cf 00000000000000", FORM("bad-payload", "reasons")},
    {"float 64 cut", SCORE, "81 <values> 81 <x> cb 00000000", FORM("bad-payload", "values.x")},
    {"key cut", SCORE, "81 a5 6964", FORM("bad-payload", "")},
    {"nesting of 9 levels", SCORE, "81 <values> 81 <x> 91 91 91 91 91 91 90",
     FORM("too-large", "values.x[0][0][0][0][0][0]")},
};

/* A whole frame in hex, by the bytes of its header. */
struct frame_row {
    const char *name;
    const char *frame;
    bool is_reply;
    const char *op;
    const char *json;
    const char *error;
    const char *field;
    const char *layer;
    bool closes;
};

#define FRAME(error, field) NULL, (error), (field), "frame"

static const struct frame_row frame_rows[] = {
    {"request id 0", "00000000 01 02 0000 00000000 00000000", false, "ping", GOOD("{}"), false},
    {"request id 2^32-1", "00000000 01 02 0000 ffffffff 00000000", false, "ping", GOOD("{}"),
     false},
    {"progress frame",
     "14000000 01 00 0500 07000000 00000000 82 <job> 03 <done> cb 3fe0000000000000", true,
     "icp-learn", GOOD("{\"job\":3,\"done\":0.5}"), false},
    {"checksum of no payload", "00000000 01 02 0200 01000000 c294d338", false, "ping", GOOD("{}"),
     false},
    {"wrong checksum of no payload", "00000000 01 02 0200 01000000 c294d339", false, "ping",
     FRAME("bad-checksum", "checksum"), false},
    {"wrong checksum", "01000000 01 02 0200 01000000 00000000 80", false, "ping",
     FRAME("bad-checksum", "checksum"), false},
    {"checksum without its flag", "00000000 01 02 0000 01000000 c294d338", false, "ping",
     FRAME("bad-frame", "checksum"), true},
    {"version 0", "00000000 00 02 0000 01000000 00000000", false, "ping",
     FRAME("bad-version", "version"), false},
    {"version 2", "01000000 02 02 0000 01000000 00000000 80", false, "ping",
     FRAME("bad-version", "version"), false},
    {"version 255 with flags of its own", "00000000 ff 02 f8ff 01000000 12345678", false, "ping",
     FRAME("bad-version", "version"), false},
    {"reply where a request is due", "00000000 01 00 0100 01000000 00000000", false, "ping",
     FRAME("bad-frame", "flags"), true},
    {"request where a reply is due", "00000000 01 02 0000 01000000 00000000", true, "ping",
     FRAME("bad-frame", "flags"), true},
    {"more-frames flag in a request", "00000000 01 02 0400 01000000 00000000", false, "ping",
     FRAME("bad-frame", "flags"), true},
    {"reserved flag 8", "00000000 01 02 0800 01000000 00000000", false, "ping",
     FRAME("bad-frame", "flags"), true},
    {"reserved flag 16", "00000000 01 02 1000 01000000 00000000", false, "ping",
     FRAME("bad-frame", "flags"), true},
    {"reserved flag 256", "00000000 01 02 0001 01000000 00000000", false, "ping",
     FRAME("bad-frame", "flags"), true},
    {"reserved flag 32768", "00000000 01 02 0080 01000000 00000000", false, "ping",
     FRAME("bad-frame", "flags"), true},
    {"reserved flag in a reply", "00000000 01 00 0900 01000000 00000000", true, "ping",
     FRAME("bad-frame", "flags"), true},
    {"payload over the limit", "01000001 01 02 0000 01000000 00000000", false, "ping",
     FRAME("too-large", ""), true},
    {"payload of 2^32-1 bytes", "ffffffff 01 02 0000 01000000 00000000", false, "ping",
     FRAME("too-large", ""), true},
    {"HTTP instead of a frame", "474554202f20485454502f312e310d0a", false, "ping",
     FRAME("too-large", ""), true},
    {"opcode 0", "00000000 01 00 0000 01000000 00000000", false, "", TABLE("unknown-op", ""),
     false},
    {"opcode 15", "00000000 01 0f 0000 01000000 00000000", false, "", TABLE("unknown-op", ""),
     false},
    {"opcode 255", "01000000 01 ff 0000 01000000 00000000 80", false, "", TABLE("unknown-op", ""),
     false},
    {"reply without a required field", "01000000 01 00 0100 01000000 00000000 80", true, "ping",
     TABLE("missing-field", "time"), false},
    {"error reply without its keys", "01000000 01 14 0100 01000000 00000000 80", true, "ping",
     TABLE("missing-field", "code"), false},
};

/* Expands the notation of the rows; ends the process on a slip in them. */
static size_t row_bytes(const char *name, const char *text, uint8_t *out)
{
    size_t bytes = 0;
    while (*text != '\0' && bytes + 64 < VECTOR_BYTES_MAX) {
        if (*text == ' ') {
            text++;
        } else if (*text == '<') {
            size_t length = strcspn(text + 1, ">");
            out[bytes++] = (uint8_t)(0xa0 | length);
            memcpy(out + bytes, text + 1, length);
            bytes += length;
            text += length + 2;
        } else {
            size_t digits = strspn(text, "0123456789abcdef");
            char hex[2 * VECTOR_BYTES_MAX] = "";
            size_t more = 0;
            (void)snprintf(hex, sizeof(hex), "%.*s", (int)digits, text);
            if (digits == 0 ||
                !vector_hex_decode(hex, out + bytes, VECTOR_BYTES_MAX - bytes, &more)) {
                (void)fprintf(stderr, "vector \"%s\": not hex: %s\n", name, text);
                exit(EXIT_FAILURE);
            }
            bytes += more;
            text += digits;
        }
    }
    return bytes;
}

static json_t *row_json(const char *name, const char *text)
{
    json_error_t error;
    json_t *json = text != NULL ? json_loads(text, JSON_ALLOW_NUL, &error) : NULL;
    if (text != NULL && json == NULL) {
        (void)fprintf(stderr, "vector \"%s\": %s\n", name, error.text);
        exit(EXIT_FAILURE);
    }
    return json;
}

static void payload_add(json_t *vectors, const struct payload_row *row, uint32_t request_id,
                        uint16_t flags)
{
    uint8_t payload[VECTOR_BYTES_MAX];
    struct proto_span span = {payload, row_bytes(row->name, row->payload, payload)};
    json_t *json = row_json(row->name, row->json);
    struct vector_wanted wanted = {
        .op = proto_op_find(row->op)->name,
        .payload = json,
        .error = row->error,
        .field = row->field,
        .layer = row->layer,
    };
    char name[160];
    (void)snprintf(name, sizeof(name), "%s%s", row->name,
                   (flags & PROTO_FLAG_CHECKSUM) != 0 ? ", with a checksum" : "");
    struct vector_frame frame = {row->op, flags, request_id};
    vector_add_payload(vectors, name, frame, span, &wanted);
    json_decref(json);
}

void vectors_from_lists(json_t *vectors)
{
    for (size_t i = 0; i < sizeof(payload_rows) / sizeof(payload_rows[0]); i++) {
        uint32_t request_id = 0x10000U + (uint32_t)i;
        payload_add(vectors, &payload_rows[i], request_id, 0);
        if (i % 8 == 0) { /* a checksum changes nothing else */
            payload_add(vectors, &payload_rows[i], request_id, PROTO_FLAG_CHECKSUM);
        }
    }
    for (size_t i = 0; i < sizeof(frame_rows) / sizeof(frame_rows[0]); i++) {
        const struct frame_row *row = &frame_rows[i];
        uint8_t frame[VECTOR_BYTES_MAX];
        struct proto_span span = {frame, row_bytes(row->name, row->frame, frame)};
        json_t *json = row_json(row->name, row->json);
        struct vector_wanted wanted = {row->op,    row->is_reply, json,       row->error,
                                       row->field, row->layer,    row->closes};
        vector_add(vectors, row->name, span, &wanted);
        json_decref(json);
    }
}
