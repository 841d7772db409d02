/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of starts; see order.h. Definitions are added one after the other to a graph that has no circle.
 * A new one may wait for whatever does not wait for it already, so it is enough to look who does: a search
 * that costs nothing where nobody waits.
 */
#include <errno.h>
#include <stdlib.h>

#include "basic/array.h"
#include "basic/string.h"
#include "spec/order.h"

/* What is known of a definition: who was made to wait for it. */
typedef struct Node {
        size_t *waiting;
        size_t n_waiting;
        size_t waits_for; /* 1 + the definition that it was last found to wait for, by way of others too */
        size_t named_by;  /* 1 + the definition that named it last */
} Node;

typedef struct Graph {
        Definition *const *all;
        size_t n;
        Node *nodes;
        size_t *queue; /* of a search; as long as there are nodes */
} Graph;

static void graph_clear(Graph *graph) {
        for (size_t i = 0; graph->nodes && i < graph->n; i++)
                free(graph->nodes[i].waiting);
        free(graph->nodes);
        free(graph->queue);
}

void orders_clear(Orders *orders) {
        for (size_t i = 0; i < orders->n; i++) {
                free(orders->list[i].after);
                free(orders->list[i].left_out);
        }
        free(orders->list);
        *orders = (Orders) ORDERS_EMPTY;
}

static int compare_name(const void *name, const void *definition) {
        return strcmp(name, (*(Definition *const *) definition)->name);
}

/* Marks all that wait for SELF, with itself. */
static void mark_waiting(Graph *graph, size_t self) {
        size_t n = 1;

        graph->queue[0] = self;
        graph->nodes[self].waits_for = self + 1;

        for (size_t i = 0; i < n; i++) {
                const Node *node = graph->nodes + graph->queue[i];

                for (size_t j = 0; j < node->n_waiting; j++) {
                        Node *next = graph->nodes + node->waiting[j];

                        if (next->waits_for == self + 1)
                                continue;
                        next->waits_for = self + 1;
                        graph->queue[n++] = node->waiting[j];
                }
        }
}

/* SELF is to be started after OTHER, unless that waits for it. */
static int add_known(Graph *graph, size_t self, size_t other, Order *order) {
        Node *node = graph->nodes + other;
        const char *name = graph->all[other]->name;
        int r;

        if (node->named_by == self + 1)
                return 0;
        node->named_by = self + 1;

        if (node->waits_for == self + 1)
                return ARRAY_APPEND(order->left_out, order->n_left_out, name);

        r = ARRAY_APPEND(node->waiting, node->n_waiting, self);

        return r < 0 ? r : ARRAY_APPEND(order->after, order->n_after, name);
}

static int add_name(Graph *graph, size_t self, const char *name, Order *order) {
        Definition *const *found = bsearch(name, graph->all, graph->n, sizeof *graph->all, compare_name);

        if (found)
                return add_known(graph, self, (size_t) (found - graph->all), order);

        /* There is none, or none that can be read: it waits for nobody. */
        return ARRAY_APPEND(order->after, order->n_after, name);
}

static int add_group(Graph *graph, size_t self, const char *group, Order *order) {
        for (size_t i = 0; i < graph->n; i++) {
                int r;

                if (i == self || !streq_null(graph->all[i]->autostart_group, group))
                        continue;
                if (graph->all[self]->trusted && !graph->all[i]->trusted)
                        continue;

                r = add_known(graph, self, i, order);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int add_definition(Graph *graph, size_t self, Order *order) {
        char *const *after = graph->all[self]->after;

        if (!after)
                return 0;

        mark_waiting(graph, self);
        for (; *after; after++) {
                int r = **after == '@' ? add_group(graph, self, *after + 1, order)
                                       : add_name(graph, self, *after, order);

                if (r < 0)
                        return r;
        }

        return 0;
}

int orders_make(Definition *const *all, size_t n_all, Orders *ret) {
        _cleanup_(orders_clear) Orders orders = ORDERS_EMPTY;
        _cleanup_(graph_clear) Graph graph = { .all = all, .n = n_all };

        /* calloc() may give NULL for nothing. */
        orders.list = calloc(n_all + 1, sizeof *orders.list);
        graph.nodes = calloc(n_all + 1, sizeof *graph.nodes);
        graph.queue = calloc(n_all + 1, sizeof *graph.queue);
        if (!orders.list || !graph.nodes || !graph.queue)
                return -ENOMEM;
        orders.n = n_all;

        for (unsigned trusted = 2; trusted-- > 0;)
                for (size_t i = 0; i < n_all; i++) {
                        int r = all[i]->trusted == trusted ? add_definition(&graph, i, orders.list + i) : 0;

                        if (r < 0)
                                return r;
                }

        *ret = orders;
        orders = (Orders) ORDERS_EMPTY;

        return 0;
}
