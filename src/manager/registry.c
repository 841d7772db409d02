/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/registry.h"

#include <stdlib.h>
#include <string.h>

#include "basic/array.h"

void registry_done(Registry *registry) {
        for (size_t i = 0; i < registry->n; i++)
                container_free(registry->containers[i]);
        free(registry->containers);
        *registry = (Registry){};
}

/* The place of NAME: where it is, or where it would have to be. */
static size_t registry_place(const Registry *registry, const char *name) {
        size_t low = 0, high = registry->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(registry->containers[middle]->name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }

        return low;
}

Container *registry_find(const Registry *registry, const char *name) {
        size_t place = registry_place(registry, name);

        if (place == registry->n || strcmp(registry->containers[place]->name, name) != 0)
                return NULL;

        return registry->containers[place];
}

int registry_add(Registry *registry, const char *name, UnitKind kind, Container **ret) {
        _cleanup_(container_freep) Container *container = NULL;
        size_t place;
        int r;

        r = container_new(name, kind, &container);
        if (r < 0)
                return r;
        r = array_reserve(&registry->containers, registry->n, sizeof registry->containers[0]);
        if (r < 0)
                return r;

        place = registry_place(registry, name);
        memmove(registry->containers + place + 1, registry->containers + place,
                (registry->n - place) * sizeof registry->containers[0]);
        registry->n++;
        *ret = container;
        registry->containers[place] = TAKE_PTR(container);
        return 0;
}

void registry_remove(Registry *registry, Container *container) {
        size_t place = registry_place(registry, container->name);

        array_remove(&registry->containers, &registry->n, sizeof registry->containers[0], place);
        container_free(container);
}
