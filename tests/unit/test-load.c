/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which files make a definition and in which order, what is said when one of them cannot be read, and
 * whether the whole is trusted.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "spec/limits.h"
#include "test.h"
#include "text.h"
#include "tree.h"

#define MINIMAL "[Root]\nPath=/srv/web\n"
#define DESCRIBED(text) "[Container]\nDescription=" text "\n"

/* Loads "web" and expects this description. */
static void check_description(const Tree *tree, const char *description) {
        _cleanup_free_ char *problems = NULL;
        _cleanup_(definition_freep) Definition *definition = tree_load(tree, "web", 0, &problems);

        CHECK_STR(definition->description, description);
}

/* Loads "web" and expects to be told this. */
static void check_problem(const Tree *tree, int expected, const char *problem) {
        _cleanup_free_ char *problems = NULL;
        _cleanup_(definition_freep) Definition *definition = tree_load(tree, "web", expected, &problems);

        CHECK_INT(!!definition, expected == 0);
        CHECK_HAS(problems, problem);
}

static void check_trust(const Tree *tree, const char *reason) {
        _cleanup_free_ char *problems = NULL;
        _cleanup_(definition_freep) Definition *definition = tree_load(tree, "web", 0, &problems);

        CHECK_INT(definition->trusted, !reason);
        CHECK_INT(!!definition->untrusted_reason, !!reason);
        if (reason)
                CHECK_HAS(definition->untrusted_reason, reason);
}

static void test_precedence(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();

        check_problem(tree, DEFINITION_E_NOT_FOUND, "there is no container web: no web.container in");
        tree_write(tree, "var/web.container", MINIMAL DESCRIBED("var"));
        check_description(tree, "var");
        tree_write(tree, "lib/web.container", MINIMAL DESCRIBED("lib"));
        check_description(tree, "lib");
        tree_write(tree, "run/web.container", MINIMAL DESCRIBED("run"));
        check_description(tree, "run");
        tree_write(tree, "etc/web.container", MINIMAL DESCRIBED("etc"));
        check_description(tree, "etc");

        /* The first file counts alone. */
        tree_write(tree, "etc/web.container", MINIMAL);
        check_description(tree, NULL);

        (void) rmdir(tree_path(tree, "lib"));
        tree_link(tree, "etc/web.container", "/dev/null");
        check_problem(tree, DEFINITION_E_MASKED, "container web is masked");
}

static void test_drop_ins(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_free_ char *problems = NULL;

        tree_write(tree, "lib/web.container", MINIMAL DESCRIBED("main"));
        tree_write(tree, "lib/web.container.d/20-b.conf", DESCRIBED("b"));
        check_description(tree, "b");

        /* By name over all directories, not directory by directory. */
        tree_write(tree, "etc/web.container.d/10-a.conf", DESCRIBED("a"));
        check_description(tree, "b");
        tree_write(tree, "run/container.d/30-c.conf", DESCRIBED("c"));
        check_description(tree, "c");

        /* The same name in a higher directory replaces; that of one container is above that of all. */
        tree_write(tree, "etc/container.d/30-c.conf", DESCRIBED("c of all in etc"));
        check_description(tree, "c of all in etc");
        tree_write(tree, "lib/web.container.d/30-c.conf", DESCRIBED("c of web in lib"));
        check_description(tree, "c of web in lib");

        /* A mask. */
        tree_link(tree, "etc/web.container.d/30-c.conf", "/dev/null");
        check_description(tree, "b");

        /* Others' files are not for us. */
        tree_write(tree, "etc/web.container.d/99-x.conf~", "rubbish");
        tree_write(tree, "etc/web.container.d/.99-x.conf", "rubbish");
        tree_write(tree, "etc/other.container.d/99-x.conf", "rubbish");
        check_description(tree, "b");

        tree_write(tree, "etc/web.container.d/99-list.conf",
                   "[Container]\nEnvironment=A=1\n[Mount]\nType=tmpfs\nTarget=/t\n");
        tree_write(tree, "run/web.container.d/99-more.conf",
                   "[Container]\nEnvironment=B=2\n[Mount]\nType=tmpfs\nTarget=/u\n");
        definition = tree_load(tree, "web", 0, &problems);
        CHECK_INT(definition->n_environment, 2);
        CHECK_INT(definition->n_mounts, 2);
        CHECK_STR(definition->mounts[1].target, "/u");
        CHECK_STR(definition_origin(definition, "Container", "Environment")->file,
                  tree_path(tree, "run/web.container.d/99-more.conf"));
}

static void test_drop_in_failures(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();

        /* Drop-ins alone make no container. */
        tree_write(tree, "etc/web.container.d/a.conf", MINIMAL);
        check_problem(tree, DEFINITION_E_NOT_FOUND, "there is no container web");

        tree_write(tree, "etc/web.container", MINIMAL);
        tree_write(tree, "etc/web.container.d/a.conf", "[Root]\nPth=/x\n");
        check_problem(tree, DEFINITION_E_INVALID,
                      "a.conf:2: Pth=: there is no such key in [Root]; did you mean Path=?");
        tree_link(tree, "etc/web.container.d/a.conf", "nowhere");
        check_problem(tree, DEFINITION_E_INVALID, "a.conf: cannot be opened: No such file or directory");
        REQUIRE(unlink(tree_path(tree, "etc/web.container.d/a.conf")) == 0);
        REQUIRE(mkdir(tree_path(tree, "etc/web.container.d/a.conf"), 0755) == 0);
        check_problem(tree, DEFINITION_E_INVALID, "a.conf: is not a regular file");
        REQUIRE(rmdir(tree_path(tree, "etc/web.container.d/a.conf")) == 0);
        REQUIRE(mkfifo(tree_path(tree, "etc/web.container.d/a.conf"), 0644) == 0);
        check_problem(tree, DEFINITION_E_INVALID, "a.conf: is not a regular file");
        tree_write(tree, "run/web.container.d", "not a directory");
        check_problem(tree, DEFINITION_E_INVALID, "run/web.container.d: cannot be opened: Not a directory");
}

static void test_names(void) {
        static const char *const wrong[] = {
                "", ".", "..", "../etc/web", "a/b", "a\nb", "Web", "a\xff", "web.", "\033[2J",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        };
        _cleanup_(tree_freep) Tree *tree = tree_new();

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_free_ char *problems = NULL;
                Definition *definition = tree_load(tree, wrong[i], DEFINITION_E_NAME, &problems);

                CHECK(!definition);
                CHECK_HAS(problems, "cannot be the name of a container; a name is 1 to 63 characters");
                CHECK(!strchr(problems, '\033'));
                CHECK_STR(strchr(problems, '\n'), "\n");
        }
}

static void test_bad_files(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();

        tree_write(tree, "etc/web.container", "");
        check_problem(tree, DEFINITION_E_INVALID,
                      "etc/web.container: Path=: is not set; give the root file system's");

        tree_fill(tree, "etc/web.container", 'x', 10 * 1024 * 1024);
        check_problem(tree, DEFINITION_E_INVALID,
                      "etc/web.container: the definition's files have more than 1048576 bytes");

        tree_fill(tree, "etc/web.container", '\0', 4096);
        check_problem(tree, DEFINITION_E_INVALID,
                      "etc/web.container:1: the line has a control character (U+0000)");

        tree_write(tree, "etc/web.container", "\x7f" "ELF\x02\x01\x01");
        check_problem(tree, DEFINITION_E_INVALID,
                      "etc/web.container:1: the line has a control character (U+007F)");

        tree_link(tree, "etc/web.container", "web.container");
        check_problem(tree, DEFINITION_E_INVALID,
                      "etc/web.container: cannot be opened: Too many levels of symbolic links");

        REQUIRE(unlink(tree_path(tree, "etc/web.container")) == 0);
        REQUIRE(mkdir(tree_path(tree, "etc/web.container"), 0755) == 0);
        check_problem(tree, DEFINITION_E_INVALID, "etc/web.container: is not a regular file");
}

/* Read as a user who may not: as root, everything can be read. */
static void test_unreadable(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        bool root = getuid() == 0;

        tree_write(tree, "etc/web.container", MINIMAL);
        tree_write(tree, "lib/web.container", MINIMAL);
        tree_mode(tree, "etc/web.container", 0);

        if (root)
                REQUIRE(seteuid(65534) == 0);
        check_problem(tree, DEFINITION_E_INVALID, "etc/web.container: cannot be opened: Permission denied");
        if (root)
                REQUIRE(seteuid(0) == 0);
}

static void test_includes(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_free_ char *problems = NULL;

        /* In place: what comes later counts. The section goes on after it. */
        tree_write(tree, "other/inc.conf", DESCRIBED("included") "[Root]\nPath=/included\n");
        tree_write(tree, "etc/web.container", DESCRIBED("before") "Include=@/other/inc.conf\nHostname=x\n");
        definition = tree_load(tree, "web", 0, &problems);
        CHECK_STR(definition->description, "included");
        CHECK_STR(definition->root_path, "/included");
        CHECK_STR(definition->hostname, "x");
        CHECK_STR(definition_origin(definition, "Root", "Path")->file, tree_path(tree, "other/inc.conf"));
        CHECK(definition->trusted);

        tree_write(tree, "etc/web.container", "[Container]\nInclude=@/other/inc.conf\nDescription=after\n");
        check_description(tree, "after");

        /* The same file twice is no cycle. */
        tree_write(tree, "etc/web.container",
                   "[Container]\nInclude=@/other/inc.conf\nInclude=@/other/inc.conf\n");
        check_description(tree, "included");

        /* A directory, sorted, *.conf alone. */
        tree_write(tree, "other/dir/20.conf", DESCRIBED("20"));
        tree_write(tree, "other/dir/10.conf", DESCRIBED("10") "[Root]\nPath=/p\n");
        tree_write(tree, "other/dir/30.txt", DESCRIBED("30"));
        tree_link(tree, "other/dir/40.conf", "/dev/null");
        tree_write(tree, "etc/web.container", "[Container]\nInclude=@/other/dir\n");
        check_description(tree, "20");

        /* A link that root made is followed. */
        tree_link(tree, "other/link.conf", "dir/20.conf");
        tree_link(tree, "other/way", "@/other/dir");
        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/other/link.conf\n");
        check_description(tree, "20");
        check_trust(tree, NULL);
        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/other/way/../dir/./10.conf\n");
        check_description(tree, "10");
}

static void test_include_failures(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        char text[512], name[64];

        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/other/none.conf\n");
        check_problem(tree, DEFINITION_E_INVALID,
                      "cannot be included: it cannot be opened: No such file or directory");
        check_problem(tree, DEFINITION_E_INVALID, "etc/web.container:4: Include=: ");

        /* A cycle, with the whole way. */
        tree_write(tree, "other/a.conf", "[Container]\n\nInclude=@/other/b.conf\n");
        tree_write(tree, "other/b.conf", "[Container]\nInclude=@/other/a.conf\n");
        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/other/a.conf\n");
        (void) snprintf(text, sizeof text,
                        "b.conf:2: Include=: %s/other/a.conf includes itself: from %s/other/b.conf:2, "
                        "included by "
                        "%s/other/a.conf:3, included by %s/etc/web.container:4\n",
                        tree->path, tree->path, tree->path, tree->path);
        check_problem(tree, DEFINITION_E_INVALID, text);

        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/etc/web.container\n");
        check_problem(tree, DEFINITION_E_INVALID, "etc/web.container includes itself");

        /* Depth. */
        for (unsigned i = 0; i <= INCLUDE_DEPTH_MAX; i++) {
                (void) snprintf(name, sizeof name, "other/deep%u.conf", i);
                (void) snprintf(text, sizeof text, "[Container]\nInclude=@/other/deep%u.conf\n", i + 1);
                tree_write(tree, name, i < INCLUDE_DEPTH_MAX ? text : "");
        }
        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/other/deep1.conf\n");
        check_description(tree, NULL);
        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/other/deep0.conf\n");
        check_problem(tree, DEFINITION_E_INVALID,
                      "deep7.conf:2: Include=: files include each other more than 8 deep");
        check_problem(tree, DEFINITION_E_INVALID, "other/deep0.conf:2, included by ");

        /* Doubling with each level ends at a limit, soon. */
        for (unsigned i = 0; i < INCLUDE_DEPTH_MAX; i++) {
                char all[4096] = "[Container]\n";
                size_t n = strlen(all);

                (void) snprintf(name, sizeof name, "other/wide%u.conf", i);
                for (unsigned j = 0; j < 30; j++)
                        n += (size_t) snprintf(all + n, sizeof all - n, "Include=@/other/wide%u.conf\n", i + 1);
                tree_write(tree, name, all);
        }
        tree_write(tree, "other/wide8.conf", "");
        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/other/wide1.conf\n");
        check_problem(tree, DEFINITION_E_INVALID, "the definition has more than 256 files");
}

static void test_trust(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();

        tree_write(tree, "etc/web.container", MINIMAL);
        check_trust(tree, NULL);

        tree_mode(tree, "etc/web.container", 0664);
        check_trust(tree, "etc/web.container is writable by its group (mode 0664)");
        tree_mode(tree, "etc/web.container", 0646);
        check_trust(tree, "etc/web.container is writable by everybody (mode 0646)");
        tree_mode(tree, "etc/web.container", 0644);

        tree_mode(tree, "etc", 0775);
        check_trust(tree, "etc is writable by its group (mode 0775)");
        tree_mode(tree, "etc", 0755);
        tree_mode(tree, "", 0777);
        check_trust(tree, "is writable by everybody (mode 0777)");
        tree_mode(tree, "", 0755);
        check_trust(tree, NULL);

        /* One drop-in is enough, and one include. */
        tree_write(tree, "run/web.container.d/x.conf", "");
        check_trust(tree, NULL);
        tree_mode(tree, "run/web.container.d", 0757);
        check_trust(tree, "run/web.container.d is writable by everybody (mode 0757)");
        tree_mode(tree, "run/web.container.d", 0755);

        tree_write(tree, "other/inc.conf", "");
        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/other/inc.conf\n");
        check_trust(tree, NULL);
        tree_mode(tree, "other/inc.conf", 0666);
        check_trust(tree, "other/inc.conf is writable by everybody (mode 0666)");
        tree_mode(tree, "other/inc.conf", 0644);
        tree_mode(tree, "other", 0777);
        check_trust(tree, "other is writable by everybody (mode 0777)");
}

/* What lies in a place that is never trusted is nothing to a definition that does not. */
static void test_foreign_place(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();

        tree_write(tree, "lib/web.container", MINIMAL DESCRIBED("main"));
        tree_write(tree, "var/web.container.d/99-x.conf", DESCRIBED("own"));
        tree_write(tree, "var/container.d/99-y.conf", DESCRIBED("all"));
        check_description(tree, "main");
        check_trust(tree, NULL);

        tree_write(tree, "etc/container.d/50-limit.conf", DESCRIBED("limit"));
        tree_write(tree, "var/web.container.d/50-limit.conf", DESCRIBED("not"));
        check_description(tree, "limit");
        tree_link(tree, "var/web.container.d/50-limit.conf", "/dev/null");
        tree_link(tree, "var/container.d/50-limit.conf", "/dev/null");
        check_description(tree, "limit");
        check_trust(tree, NULL);

        /* Nor does it matter that it cannot be read. */
        tree_write(tree, "var/web.container.d/50-limit.conf", "rubbish");
        tree_link(tree, "var/web.container.d/a.conf", "nowhere");
        tree_write(tree, "var/container.d/a.conf", "rubbish");
        tree_write(tree, "etc/web.container", MINIMAL);
        check_trust(tree, NULL);

        /* Trust that is lost by a mode is not the place's. */
        tree_mode(tree, "etc/web.container", 0666);
        check_description(tree, "limit");
        check_trust(tree, "etc/web.container is writable by everybody");
}

#define MANAGED "[Root]\nManaged=yes\n"

/* The drop-ins of a definition that lies there: its own count, trusted ones come after them. */
static void test_foreign_definition(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_free_ char *problems = NULL;

        tree_write(tree, "var/web.container", MANAGED DESCRIBED("main"));
        tree_write(tree, "var/web.container.d/50-limit.conf", DESCRIBED("own"));
        check_description(tree, "own");
        check_trust(tree, "var/web.container lies in a place that is never trusted");

        /* Files for all containers are not its to write. */
        tree_write(tree, "var/container.d/60-x.conf", "rubbish");
        check_description(tree, "own");

        /* It cannot come after, replace or mask what the administrator has for all. */
        tree_write(tree, "etc/container.d/10-limit.conf", DESCRIBED("limit"));
        check_description(tree, "limit");
        REQUIRE(rename(tree_path(tree, "etc/container.d/10-limit.conf"),
                       tree_path(tree, "etc/container.d/50-limit.conf")) == 0);
        check_description(tree, "limit");
        tree_write(tree, "var/web.container.d/50-limit.conf", DESCRIBED("own") "Hostname=x\n");
        tree_write(tree, "etc/web.container.d/a.conf", "");
        definition = tree_load(tree, "web", 0, &problems);
        CHECK_STR(definition->description, "limit");
        CHECK_STR(definition->hostname, "x");
        tree_link(tree, "var/web.container.d/50-limit.conf", "/dev/null");
        check_description(tree, "limit");
        REQUIRE(unlink(tree_path(tree, "etc/container.d/50-limit.conf")) == 0);
        check_description(tree, "main");

        /* The administrator's own file for this container replaces and masks. */
        tree_write(tree, "var/web.container.d/50-limit.conf", DESCRIBED("own"));
        check_description(tree, "own");
        tree_link(tree, "etc/web.container.d/50-limit.conf", "/dev/null");
        check_description(tree, "main");
        tree_write(tree, "etc/web.container.d/50-limit.conf", "[Container]\nHostname=y\n");
        check_description(tree, "main");
}

/* The same among trusted places, where somebody else can write to one of the directories. */
static void test_writable_drop_ins(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();

        tree_write(tree, "lib/web.container", MINIMAL DESCRIBED("main"));
        tree_write(tree, "lib/container.d/50-limit.conf", DESCRIBED("limit"));
        tree_link(tree, "etc/web.container.d/50-limit.conf", "/dev/null");
        check_description(tree, "main");
        tree_mode(tree, "etc/web.container.d", 0777);
        check_description(tree, "limit");
        tree_write(tree, "etc/web.container.d/90-more.conf", DESCRIBED("more"));
        check_description(tree, "limit");
        check_trust(tree, "etc/web.container.d is writable by everybody");

        /* A link of root's to a directory elsewhere does not make it root's word. */
        REQUIRE(rename(tree_path(tree, "etc/web.container.d"), tree_path(tree, "var/web.container.d")) == 0);
        tree_mode(tree, "var/web.container.d", 0755);
        tree_link(tree, "etc/web.container.d", "../var/web.container.d");
        check_description(tree, "limit");
        check_trust(tree, "var/web.container.d, to which a link in");
}

static void test_owner(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();

        if (getuid() != 0)
                return;

        tree_write(tree, "etc/web.container", MINIMAL);
        REQUIRE(chown(tree_path(tree, "etc/web.container"), 1000, 0) == 0);
        check_trust(tree, "etc/web.container belongs to user 1000, not to root");
        REQUIRE(chown(tree_path(tree, "etc/web.container"), 0, 1000) == 0);
        check_trust(tree, NULL);
        REQUIRE(chown(tree_path(tree, "etc"), 1000, 0) == 0);
        check_trust(tree, "etc belongs to user 1000, not to root");
}

/* Links: root's own are followed and lead out of trust; others' are not followed at all. */
static void test_links(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();

        tree_write(tree, "lib/web-1.container", MINIMAL);
        tree_link(tree, "etc/web.container", "../lib/web-1.container");
        check_trust(tree, NULL);

        tree_write(tree, "other/web.container", MINIMAL);
        tree_link(tree, "etc/web.container", "@/other/web.container");
        check_trust(tree, "lies in no trusted place");

        tree_write(tree, "var/db.container", MINIMAL);
        tree_link(tree, "etc/web.container", "../var/db.container");
        check_trust(tree, "var/db.container, to which a link in");
        REQUIRE(unlink(tree_path(tree, "etc/web.container")) == 0);
        tree_link(tree, "var/web.container", "@/other/web.container");
        check_problem(tree, DEFINITION_E_INVALID,
                      "var/web.container: is reached by a symbolic link in a place that is not root's "
                      "alone");

        /* The same for a directory of drop-ins that somebody else can write to, and for an include. */
        REQUIRE(unlink(tree_path(tree, "var/web.container")) == 0);
        tree_write(tree, "etc/web.container", MINIMAL);
        tree_link(tree, "etc/web.container.d/x.conf", "@/other/web.container");
        check_trust(tree, "lies in no trusted place");
        tree_mode(tree, "etc/web.container.d", 0777);
        check_problem(tree, DEFINITION_E_INVALID,
                      "x.conf: is reached by a symbolic link in a place that is not root's");
        REQUIRE(unlink(tree_path(tree, "etc/web.container.d/x.conf")) == 0);

        tree_mode(tree, "etc/web.container.d", 0755);
        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/theirs/x.conf\n");
        tree_link(tree, "theirs/x.conf", "@/other/web.container");
        check_trust(tree, NULL);
        tree_mode(tree, "theirs", 0777);
        check_problem(tree, DEFINITION_E_INVALID, "cannot be included: it is reached by a symbolic link");

        /* A place that is itself reached by a link of root's is as good as another. */
        REQUIRE(rename(tree_path(tree, "etc"), tree_path(tree, "real")) == 0);
        tree_link(tree, "etc", "real");
        tree_write(tree, "etc/web.container", MINIMAL);
        check_trust(tree, NULL);
        tree_mode(tree, "real", 0777);
        check_trust(tree, "real is writable by everybody (mode 0777)");
}

/* Root does not read files for somebody else. */
static void test_untrusted_include(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();

        tree_write(tree, "other/secret", "root:x:0:0\n");
        tree_write(tree, "var/web.container", "[Root]\nManaged=yes\n[Container]\nInclude=@/other/secret\n");
        check_problem(tree, DEFINITION_E_INVALID,
                      "var/web.container:4: Include=: is followed only in files that root alone can write, "
                      "and");
        tree_write(tree, "etc/web.container", MINIMAL "[Container]\nInclude=@/other/secret\n");
        tree_mode(tree, "etc/web.container", 0666);
        check_problem(tree, DEFINITION_E_INVALID, "etc/web.container:4: Include=: is followed only");
        tree_mode(tree, "etc/web.container", 0644);
        check_problem(tree, DEFINITION_E_INVALID, "other/secret:1: this is neither");
}

/* A text from memory includes nothing, whoever sent it. */
static void test_text_include(void) {
        for (unsigned trusted = 0; trusted < 2; trusted++) {
                _cleanup_free_ char *problems = NULL;
                Definition *definition = definition_from_text(MINIMAL "[Container]\nInclude=/dev/null\n",
                                                              trusted, &problems);

                CHECK(!definition);
                CHECK_HAS(problems, "test.container:4: Include=: is followed only in files");
        }
}

/* A file has no descriptors; a text may come with them. */
static void test_descriptors(void) {
        _cleanup_(definition_freep) Definition *definition =
                definition_from_text("[Root]\nPath=fd:root\n[Mount]\nSource=fd:data\nTarget=/t\n", false, NULL);
        _cleanup_(tree_freep) Tree *tree = tree_new();

        tree_write(tree, "etc/web.container", "[Root]\nPath=fd:root\n");
        check_problem(tree, DEFINITION_E_INVALID, "fd:root stands for a descriptor that is sent along");
        tree_write(tree, "etc/web.container", MINIMAL);
        tree_write(tree, "etc/web.container.d/1.conf", "[Mount]\nSource=fd:data\nTarget=/t\n");
        check_problem(tree, DEFINITION_E_INVALID, "fd:data stands for a descriptor that is sent along");

        REQUIRE(definition);
        CHECK_STR(definition_missing_descriptor(definition, NULL, 0), "root");
        CHECK_STR(definition_missing_descriptor(definition, (const char *const[]) { "root" }, 1), "data");
        CHECK_STR(definition_missing_descriptor(definition, (const char *const[]) { "data", "root" }, 2), NULL);
}

static void test_one_file(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        _cleanup_(definition_freep) Definition *definition = NULL, *trusted = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *text = NULL;

        tree_write(tree, "other/inc.conf", DESCRIBED("included"));
        tree_write(tree, "other/web.container", MINIMAL "[Container]\nInclude=@/other/inc.conf\n");
        tree_write(tree, "other/web.container.d/x.conf", "rubbish");
        tree_mode(tree, "other/web.container", 0666);
        CHECK_INT(definition_load_file(&tree->sources, tree_path(tree, "other/web.container"), &definition,
                                       &problems),
                  0);
        CHECK_STR(definition->name, "web");
        CHECK_STR(definition->description, "included");
        CHECK(!definition->trusted);

        tree_write(tree, "etc/UPPER", MINIMAL);
        CHECK_INT(definition_load_file(&tree->sources, tree_path(tree, "etc/UPPER"), &trusted, &problems),
                  0);
        CHECK_STR(trusted->name, "unnamed");
        CHECK(trusted->trusted);
        CHECK_INT(problems.n, 0);

        CHECK_INT(definition_load_file(&tree->sources, tree_path(tree, "none"), &trusted, &problems),
                  DEFINITION_E_NOT_FOUND);
        CHECK_INT(definition_load_file(&tree->sources, tree_path(tree, "etc"), &trusted, &problems),
                  DEFINITION_E_INVALID);
        text = problems_text(&problems);
        CHECK_HAS(text, "none: does not exist\n");
        CHECK_HAS(text, "etc: is not a regular file\n");
}

TESTS(test_precedence, test_drop_ins, test_drop_in_failures, test_names, test_bad_files,
      test_unreadable, test_includes, test_include_failures, test_trust, test_foreign_place,
      test_foreign_definition, test_writable_drop_ins, test_owner, test_links, test_untrusted_include,
      test_text_include, test_descriptors, test_one_file)
