/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/bus/authorize.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "basic/weaken.h"
#include "manager/bus/callers.h"
#include "manager/bus/message-size.h"
#include "spec/limits.h"

#define ACTION_PREFIX "org.berth.container1."
#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_USER_INTERACTION UINT32_C(1)

#define SENTENCE_SIZE 512

typedef enum Answer {
        ANSWER_PENDING,
        ANSWER_YES,
        ANSWER_NO,
        ANSWER_CHALLENGE, /* somebody would have to authenticate */
        ANSWER_NONE,      /* polkit did not answer, or not in a way that can be understood */
} Answer;

/* What polkit was asked about one call. */
typedef struct Question {
        Authorizer *authorizer;
        HeldCall *held; /* owns this */
        char *action;   /* with the prefix */
        char *container, *verb;
        uid_t owner, uid;
        size_t size; /* of the call, which is kept until there is an answer */
        uint64_t id;
        bool sent;         /* else it waits for its turn */
        sd_bus_slot *slot; /* while polkit has it */
        Answer answer;
        char *error; /* for ANSWER_NONE: its name */
        struct Question *next;
} Question;

struct Authorizer {
        sd_bus *bus;
        Callers *callers;
        Question *questions; /* in the order in which they came */
        uint64_t last_id;
        sd_event_source *sending;
};

static void cancellation_id(const Question *question, char ret[static 32]) {
        (void) snprintf(ret, 32, "berth-%" PRIu64, question->id);
}

/* polkit takes away the dialogue that nobody waits for any more. Whether it does is not waited for. */
static void question_cancel(Question *question) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus *bus = question->authorizer->bus;
        char id[32];

        question->slot = sd_bus_slot_unref(question->slot);
        cancellation_id(question, id);

        if (sd_bus_message_new_method_call(bus, &message, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                           "CancelCheckAuthorization") >= 0 &&
            sd_bus_message_set_expect_reply(message, false) >= 0 &&
            sd_bus_message_set_auto_start(message, false) >= 0 && sd_bus_message_append(message, "s", id) >= 0)
                (void) sd_bus_send(bus, message, NULL);
}

/* A place at polkit may be free, or somebody may want one. */
static void questions_look(Authorizer *a) {
        (void) sd_event_source_set_enabled(a->sending, SD_EVENT_ONESHOT);
}

static void question_free(void *attached) {
        Question *question = attached;
        Authorizer *a = question->authorizer;

        if (question->slot)
                question_cancel(question);
        for (Question **i = &a->questions; *i; i = &(*i)->next)
                if (*i == question) {
                        *i = question->next;
                        break;
                }
        free(question->action);
        free(question->container);
        free(question->verb);
        free(question->error);
        free(question);
        questions_look(a);
}

static void question_freep(Question **question) {
        if (*question)
                question_free(*question);
}

/* "(bba{ss})": allowed, would be with authentication, details that nobody here reads. A message that goes on after
 * that, or says both, is not from polkit as it is known here. */
static Answer answer_read(sd_bus_message *reply) {
        int allowed, challenge;

        if (!sd_bus_message_has_signature(reply, "(bba{ss})") || sd_bus_message_enter_container(reply, 'r', "bba{ss}") <= 0 ||
            sd_bus_message_read(reply, "bb", &allowed, &challenge) <= 0 || (allowed && challenge))
                return ANSWER_NONE;

        return allowed ? ANSWER_YES : challenge ? ANSWER_CHALLENGE : ANSWER_NO;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Question *question = userdata;
        Authorizer *a = question->authorizer;
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        question->answer = error ? ANSWER_NONE : answer_read(reply);
        if (error) {
                (void) string_set(&question->error, error->name);
                /* When it is the time that ran out, polkit is still at it. */
                question_cancel(question);
        }
        question->slot = sd_bus_slot_unref(question->slot);
        held_call_resume(a->callers, question->held);
        questions_look(a);

        return 0;
}

static int question_send(Question *question) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus_message *call = question->held->message;
        sd_bus *bus = question->authorizer->bus;
        bool interactive = sd_bus_message_get_allow_interactive_authorization(call) > 0;
        char owner[16], id[32];
        int r;

        (void) snprintf(owner, sizeof owner, "%" PRIu32, (uint32_t) question->owner);
        cancellation_id(question, id);

        r = sd_bus_message_new_method_call(bus, &message, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                           "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  sd_bus_message_get_sender(call), question->action);
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "a{ss}us", 3, "container", question->container, "owner", owner, "verb",
                                  question->verb, interactive ? POLKIT_ALLOW_USER_INTERACTION : 0, id);
        if (r < 0)
                return r;

        return sd_bus_call_async(bus, &question->slot, message, on_answer, question,
                                 interactive ? AUTHORIZATION_INTERACTIVE_USEC : AUTHORIZATION_USEC);
}

static size_t questions_at_polkit(const Authorizer *a, const uid_t *uid) {
        size_t n = 0;

        for (const Question *i = a->questions; i; i = i->next)
                n += i->slot && (!uid || i->uid == *uid);

        return n;
}

/* Sends what has its turn. */
static int on_sending(sd_event_source *source, void *userdata) {
        Authorizer *a = userdata;
        size_t n = questions_at_polkit(a, NULL);
        Question *next;

        for (Question *question = a->questions; question && n < AUTHORIZATIONS_ASKED_MAX; question = next) {
                next = question->next;
                if (question->sent || questions_at_polkit(a, &question->uid) >= AUTHORIZATIONS_ASKED_EACH_MAX)
                        continue;

                question->sent = true;
                if (question_send(question) < 0) {
                        question->answer = ANSWER_NONE;
                        held_call_resume(a->callers, question->held);
                } else
                        n++;
        }

        return 0;
}

static int questions_limit(const Authorizer *a, uid_t uid, size_t size, sd_bus_error *ret_error) {
        size_t n = 0, n_uid = 0, size_all = size, size_uid = size;

        for (const Question *i = a->questions; i; i = i->next) {
                n++;
                size_all += i->size;
                if (i->uid != uid)
                        continue;
                n_uid++;
                size_uid += i->size;
        }
        if (n >= AUTHORIZATIONS_MAX || n_uid >= AUTHORIZATIONS_EACH_MAX || size_all > AUTHORIZATIONS_SIZE_MAX ||
            size_uid > AUTHORIZATIONS_SIZE_EACH_MAX)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many calls wait for authorization");

        return 0;
}

static int question_new(Authorizer *a, const char *action, const AuthorizeRequest *request, uid_t uid,
                        Question **ret) {
        _cleanup_(question_freep) Question *question = calloc(1, sizeof *question);
        Question **end;

        if (!question)
                return -ENOMEM;

        question->authorizer = a;
        question->id = ++a->last_id;
        question->owner = request->owner;
        question->uid = uid;
        for (end = &a->questions; *end; end = &(*end)->next)
                ;
        *end = question;

        question->action = string_printf(ACTION_PREFIX "%s", action);
        if (!question->action)
                return -ENOMEM;
        if (string_set(&question->container, request->container) < 0 || string_set(&question->verb, request->verb) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(question);

        return 0;
}

static int question_ask(Authorizer *a, sd_bus_message *call, const char *action, const AuthorizeRequest *request,
                        uid_t uid, sd_bus_error *ret_error) {
        _cleanup_(question_freep) Question *question = NULL;
        HeldCall *held;
        size_t size;
        int r;

        r = message_size(call, CALL_SIZE_MAX, &size);
        if (r == -E2BIG)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED, "The call is too long");
        if (r < 0)
                return r;
        r = questions_limit(a, uid, size, ret_error);
        if (r < 0)
                return r;
        r = question_new(a, action, request, uid, &question);
        if (r < 0)
                return r;
        r = callers_hold(a->callers, call, &held, ret_error);
        if (r < 0)
                return r;

        question->held = held;
        question->size = size;
        held->attached_free = question_free;
        held->attached = TAKE_PTR(question);
        questions_look(a);

        return 0;
}

/* Whether the handler asks the same as before. */
static bool question_is(const Question *question, const char *action, const AuthorizeRequest *request) {
        const char *asked = string_after_prefix(question->action, ACTION_PREFIX);

        return asked && streq(asked, action) && question->owner == request->owner &&
                streq(question->container, request->container) && streq(question->verb, request->verb);
}

/* The sentence for people: what was to be done, and why not. */
static int question_refuse(const Question *question, sd_bus_error *ret_error) {
        const char *of = question->container[0] ? " of container " : "";
        char what[SENTENCE_SIZE], error[SENTENCE_SIZE];

        (void) snprintf(what, sizeof what, "%s%s%s (polkit action %s)", question->verb, of, question->container,
                        question->action);

        if (question->answer == ANSWER_CHALLENGE)
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                         "Authentication is required: %s", what);
        if (question->answer == ANSWER_NO)
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_ACCESS_DENIED, "Not authorized: %s", what);
        if (!question->error)
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_ACCESS_DENIED,
                                         "Not authorized: %s: what polkit answers is not understood", what);

        string_escape_to(question->error, error, sizeof error);

        return sd_bus_error_setf(ret_error, SD_BUS_ERROR_ACCESS_DENIED,
                                 "Not authorized: %s: polkit cannot be asked (%s)", what, error);
}

int authorizer_new(sd_bus *bus, Authorizer **ret) {
        _cleanup_(authorizer_freep) Authorizer *a = calloc(1, sizeof *a);
        int r;

        if (!a)
                return -ENOMEM;

        a->bus = sd_bus_ref(bus);
        r = sd_event_add_defer(sd_bus_get_event(bus), &a->sending, on_sending, a);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(a->sending, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = callers_new(bus, &a->callers);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(a);

        return 0;
}

Authorizer *authorizer_free(Authorizer *a) {
        if (!a)
                return NULL;

        callers_free(a->callers);
        sd_event_source_disable_unref(a->sending);
        sd_bus_unref(a->bus);
        free(a);

        return NULL;
}

size_t authorizer_callers(const Authorizer *a) {
        return callers_count(a->callers);
}

void authorizer_on_gone(Authorizer *a, void (*gone)(const char *unique_name, void *userdata), void *userdata) {
        callers_on_gone(a->callers, gone, userdata);
}

int sender_uid(Authorizer *a, sd_bus_message *call, uid_t *ret_uid, sd_bus_error *ret_error) {
        return callers_uid(a->callers, call, ret_uid, ret_error);
}

int sender_uid_known(const Authorizer *a, sd_bus_message *call, uid_t *ret_uid) {
        return callers_uid_known(a->callers, call, ret_uid);
}

int authorize(Authorizer *a, sd_bus_message *call, const AuthorizeRequest *request, sd_bus_error *ret_error) {
        const HeldCall *held;
        const Question *question;
        const char *action;
        uid_t uid;
        int r;

        r = callers_uid(a->callers, call, &uid, ret_error);
        if (r <= 0)
                return r;
        if (uid == 0 || weakened(WEAKEN_POLKIT))
                return 1;

        action = uid == request->owner ? request->action_own : request->action;
        held = callers_find_held(a->callers, call);
        question = held ? held->attached : NULL;
        if (!question)
                return question_ask(a, call, action, request, uid, ret_error);

        if (!question_is(question, action, request)) {
                (void) sd_bus_error_set(ret_error, SD_BUS_ERROR_ACCESS_DENIED,
                                        "What was asked for changed while authorization was waited for: try again");
                return -ESTALE;
        }

        return question->answer == ANSWER_YES ? 1 : question_refuse(question, ret_error);
}
