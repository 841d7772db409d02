/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a start that need no rights: ids, sentences, environment, hashes. */
#include <errno.h>
#include <stdint.h>

#include "basic/siphash.h"
#include "helper/launch/failure.h"
#include "helper/ns/idmap.h"
#include "helper/ns/nested.h"
#include "helper/process/environment.h"
#include "helper/process/keyring.h"
#include "helper/stop/clean.h"
#include "test.h"

/* The reference's own vector: key 00..0f, input 00..0e. */
static void test_siphash(void) {
        uint8_t key[16], data[15];

        for (uint8_t i = 0; i < sizeof key; i++)
                key[i] = i;
        for (uint8_t i = 0; i < sizeof data; i++)
                data[i] = i;

        CHECK(siphash24(data, sizeof data, key) == UINT64_C(0xa129ca6149be45e5));
        CHECK(siphash24(data, 0, key) == UINT64_C(0x726fdb47dd0e0e31));
}

static void test_whole_block(void) {
        IdMap map;
        uint32_t host;

        CHECK(id_ranges_need_block(NULL, 0));
        CHECK_INT(idmap_resolve(&map, NULL, 0, 524288), 0);
        CHECK(idmap_to_host(&map, ID_UID, 0, &host));
        CHECK_INT(host, 524288);
        CHECK(idmap_to_host(&map, ID_GID, 65535, &host));
        CHECK_INT(host, 524288 + 65535);
        CHECK(!idmap_to_host(&map, ID_UID, 65536, &host));
}

static void test_single_id(void) {
        const IdRange range = {
                .kinds = ID_UID | ID_GID, .inside = 1000, .outside = ID_OUTSIDE_AUTO, .count = 1
        };
        IdMap map, foreign;
        uint32_t id;

        CHECK_INT(idmap_resolve(&map, &range, 1, 524288), 0);
        CHECK(!idmap_to_host(&map, ID_UID, 0, &id));
        CHECK(idmap_to_host(&map, ID_UID, 1000, &id));
        CHECK_INT(id, 524288 + 1000);
        CHECK(idmap_first(&map, ID_UID, &id));
        CHECK_INT(id, 1000);

        CHECK_INT(idmap_foreign(&map, &foreign), 0);
        CHECK_INT(foreign.ranges[0].inside, FOREIGN_BASE + 1000);
        CHECK_INT(foreign.ranges[0].outside, 524288 + 1000);

        map.ranges[0].inside = UINT32_MAX - FOREIGN_BASE;
        CHECK_INT(idmap_foreign(&map, &foreign), -ERANGE);
}

static void test_kinds_apart(void) {
        const IdRange ranges[] = {
                {.kinds = ID_UID,  .inside = 0, .outside = 100000, .count = 10},
                { .kinds = ID_GID, .inside = 0, .outside = 200000, .count = 10},
        };
        IdMap map;
        uint32_t id;

        CHECK(!id_ranges_need_block(ranges, 2));
        CHECK_INT(idmap_resolve(&map, ranges, 2, 0), 0);
        CHECK(idmap_to_host(&map, ID_UID, 9, &id));
        CHECK_INT(id, 100009);
        CHECK(idmap_to_host(&map, ID_GID, 9, &id));
        CHECK_INT(id, 200009);
        CHECK(!idmap_to_host(&map, ID_GID, 10, &id));
}

/* An automatic range lies in one block, and nowhere else: not past its end, not by wrapping around. */
static void test_beyond_block(void) {
        IdRange range = { .kinds = ID_UID, .inside = 65536, .outside = ID_OUTSIDE_AUTO, .count = 1 };
        IdMap map;

        CHECK_INT(idmap_resolve(&map, &range, 1, 524288), -ERANGE);
        range.inside = 1;
        range.count = 65536;
        CHECK_INT(idmap_resolve(&map, &range, 1, 524288), -ERANGE);
        range.inside = UINT32_MAX;
        range.count = 2;
        CHECK_INT(idmap_resolve(&map, &range, 1, 524288), -ERANGE);
}

static void test_identity(void) {
        const IdRange ranges[] = {
                {.kinds = ID_UID,  .inside = 0, .outside = 0, .count = 10},
                { .kinds = ID_GID, .inside = 0, .outside = 1, .count = 10},
        };
        IdMap map;

        CHECK_INT(idmap_resolve(&map, ranges, 1, 0), 0);
        CHECK(idmap_is_identity(&map));
        CHECK_INT(idmap_resolve(&map, ranges, 2, 0), 0);
        CHECK(!idmap_is_identity(&map));
        CHECK_INT(idmap_resolve(&map, NULL, 0, 524288), 0);
        CHECK(!idmap_is_identity(&map));
}

/* The ids of a container that has containers. */
static void test_own_ids(void) {
        char users[] = "         0  524288      65536\n   1048576 1048576 131072\n",
             groups[] = "0 1 1114112\n";
        const OwnIds ids = { .uid_map = users, .gid_map = groups };

        CHECK(own_ids_have(&OWN_IDS_ALL, 524288, 65536));
        CHECK(own_ids_have(&ids, 0, 65536));
        CHECK(!own_ids_have(&ids, 1, 65536));
        CHECK(!own_ids_have(&ids, 524288, 65536));
        CHECK(own_ids_have(&ids, 1048576, 65536));
        /* Of these there are users only. */
        CHECK(!own_ids_have(&ids, 1048576 + 65536, 65536));
        CHECK(!own_ids_have(&ids, UINT32_MAX - 1, 65536));
}

static void test_sentence(void) {
        Failure failure = { .step = STEP_ROOT, .error = ENOENT, .object = "/srv/a\nb\033[31m" };
        char text[512];

        failure_sentence(&failure, "web", text, sizeof text);
        CHECK_STR(text, "Cannot start container web: failed to open the root /srv/a\\nb\\x1b[31m: No such "
                        "file or directory");

        (void) failure_cause(&failure, -ENOENT, "it is not there");
        failure_sentence(&failure, "web", text, sizeof text);
        CHECK_HAS(text, ": it is not there");
}

static void test_every_step_has_words(void) {
        for (Step step = 0; step < _STEP_N; step++) {
                Failure failure = { .step = step, .error = EIO };
                char text[256];

                CHECK(step_name(step));
                failure_sentence(&failure, "web", text, sizeof text);
                CHECK_HAS(text, "failed to ");
                CHECK(!strstr(text, "(null)"));
        }
}

static void test_environment_replaces(void) {
        Environment environment = ENVIRONMENT_NULL;

        CHECK_INT(environment_set(&environment, "PATH", "/bin"), 0);
        CHECK_INT(environment_set(&environment, "PATH2", "x"), 0);
        CHECK_INT(environment_set(&environment, "PATH", "/sbin"), 0);
        CHECK_INT(environment.n, 2);
        CHECK_STR(environment.variables[0], "PATH=/sbin");
        CHECK_STR(environment.variables[1], "PATH2=x");
        CHECK(!environment.variables[2]);
        environment_done(&environment);
}

/* A run is over unless systemd starts the unit again. */
static void test_run_is_over(void) {
        CHECK_INT(clean_parse_job(""), CLEAN_JOB_NONE);
        CHECK_INT(clean_parse_job("No jobs listed.\n"), CLEAN_JOB_NONE);
        CHECK_INT(clean_parse_job("  7 container-run-x.service stop running\n"), CLEAN_JOB_STOP);
        CHECK_INT(clean_parse_job("77 container-run-x.service restart running\n"), CLEAN_JOB_OTHER);
        CHECK_INT(clean_parse_job("77 container-run-x.service start waiting\n"), CLEAN_JOB_OTHER);
        CHECK_INT(clean_parse_job("77 container-run-x.service start running\n"), CLEAN_JOB_NONE);

        CHECK(clean_is_over(CLEAN_JOB_NONE, "exited", "0"));
        CHECK(clean_is_over(CLEAN_JOB_NONE, "exited", "HUP"));
        CHECK(clean_is_over(CLEAN_JOB_NONE, "killed", "INT"));
        CHECK(clean_is_over(CLEAN_JOB_NONE, NULL, NULL));
        CHECK(!clean_is_over(CLEAN_JOB_NONE, "killed", "HUP"));
        CHECK(clean_is_over(CLEAN_JOB_STOP, "killed", "HUP"));
        CHECK(!clean_is_over(CLEAN_JOB_OTHER, "exited", "0"));
}

static void test_key_quota(void) {
        static const char text[] = "    0:    84 83/83 70/1000000 1373/25000000\n"
                                   "  900:     1 1/1 1/200 9/20000\n"
                                   "90000:   201 201/201 200/200 2803/20000\n";
        KeyQuota quota = {};

        CHECK_INT(keyring_quota_parse(text, 90000, &quota), 0);
        CHECK_INT(quota.keys, 200);
        CHECK_INT(quota.keys_max, 200);
        CHECK_INT(quota.bytes, 2803);
        CHECK_INT(quota.bytes_max, 20000);
        CHECK_INT(keyring_quota_parse(text, 0, &quota), 0);
        CHECK_INT(quota.keys, 70);
        CHECK_INT(keyring_quota_parse(text, 9000, &quota), -ENOENT);
        CHECK_INT(keyring_quota_parse("", 0, &quota), -ENOENT);
        CHECK_INT(keyring_quota_parse("no such\nfile", 0, &quota), -ENOENT);
        CHECK_INT(quota.keys, 70);
}

TESTS(test_siphash,
      test_whole_block,
      test_single_id,
      test_kinds_apart,
      test_beyond_block,
      test_identity,
      test_own_ids,
      test_sentence,
      test_every_step_has_words,
      test_run_is_over,
      test_environment_replaces,
      test_key_quota)
