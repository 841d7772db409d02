/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manager: one event loop, one connection to the system bus, and the parts that hang on them. Everything
 * it knows is rebuilt from the definitions, from systemd and from its descriptor store when it starts, so it
 * can be killed at any moment. It has no rights: what changes something is asked of the helper
 * (helper-client.h).
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "manager/registry.h"

#define BUS_NAME "org.berth.container1"
#define BUS_PATH "/org/berth/container1"
#define BUS_CONTAINERS BUS_PATH "/container"
#define BUS_MANAGER_INTERFACE BUS_NAME ".Manager"
#define BUS_CONTAINER_INTERFACE BUS_NAME ".Container"

typedef struct Authorizer Authorizer;
typedef struct Capabilities Capabilities;
typedef struct Consoles Consoles;
typedef struct Definitions Definitions;
typedef struct HelperClient HelperClient;
typedef struct Operation Operation;
typedef struct PidQuestion PidQuestion;
typedef struct Units Units;

typedef struct Manager {
        sd_event *event;
        sd_bus *bus;
        sd_event_source *idle;
        bool leaving; /* the name is being given back; what is in the queue is answered and then it ends */
        bool released;
        Registry registry;
        Authorizer *authorizer;
        Capabilities *capabilities;
        Consoles *consoles;
        Definitions *definitions;
        HelperClient *helper;
        Units *units;
        Operation *operations;
        unsigned n_operations;
        PidQuestion *pid_questions; /* that wait for systemd */
} Manager;

/* Runs until idle or told to end. 0 or a negative errno, which was told. */
int manager_run(void);

/* What is known of a container has changed: its clients are told, and it is dropped when nothing is left of
 * it. OLD is what they know. Call it with a copy of the facts made by manager_facts() before the change. */
typedef struct ContainerFacts {
        ContainerState state;
        uint32_t leader;
        uint64_t started_usec;
        int32_t exit_status;
        char *control_group;
        char *last_error;
} ContainerFacts;

void container_facts_clear(ContainerFacts *facts);

/* 0 or -ENOMEM */
int container_facts(const Container *container, ContainerFacts *ret);

/* OLD may be NULL if only visibility can have changed. The container may be gone afterwards. */
void manager_container_changed(Manager *manager, Container *container, const ContainerFacts *old);

/* The container of that name, NULL if there is none. Looks for a definition before it says so. */
Container *manager_find(Manager *manager, const char *name);

/* Finds or makes the container of a unit. 0 or -ENOMEM. */
int manager_container(Manager *manager, const char *name, UnitKind kind, Container **ret);

/* All state from systemd and the definitions is there: the name is taken and queued calls are answered. */
void manager_ready(Manager *manager);

/* Nobody may need the manager any more: looked at again after a while. */
void manager_touch(Manager *manager);
