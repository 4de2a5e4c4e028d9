/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of a server and of the machine below it, each with its remedy: a pure part, so that every
 * verdict is tested without a machine that has the trouble. Shapes: NAN is "cannot be known from
 * here". Ownership: a finding's texts are its own. Errors: none. Threads: pure. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

struct doctor_facts {
    /* of the server's figures */
    double uptime_s;
    double accounts;
    double requests;
    double requests_slow;
    double corrupt_found;
    double file_bytes;
    double map_bytes;
    double readers;
    double readers_cleared;
    double index_ready;
    double rows_done;
    double rows_total;
    double connections_refused;
    double accept_emfile;
    double commit_ns_max;
    double icp;
    double schema;
    /* of the way to it */
    double round_trip_us;
    double clock_apart_ms; /* its clock before ours */
    /* of the machine, where the server runs on this one */
    double nofile_soft;
    double connections_open;
    double disk_free_bytes;
    double memory_available_bytes;
    double index_bytes;
    double clock_synchronised; /* 1 or 0 */
    double huge_pages_never;   /* 1: the kernel gives none */
};

enum doctor_state { DOCTOR_GOOD, DOCTOR_LOOK, DOCTOR_BAD, DOCTOR_UNKNOWN };

struct doctor_finding {
    const char *check;
    enum doctor_state state;
    char found[160];
    const char *remedy; /* "" if there is nothing to do */
};

#define DOCTOR_FINDINGS_MAX 16
/* Returns the number of findings, in the order of doctor.c. */
size_t doctor_judge(const struct doctor_facts *facts,
                    struct doctor_finding findings[DOCTOR_FINDINGS_MAX]);

#endif
