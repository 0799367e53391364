#ifndef RG_BASE_LIST_H
#define RG_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* An intrusive, circular, doubly linked list. A head and an unlinked node point at themselves. */
struct rg_list {
    struct rg_list *prev;
    struct rg_list *next;
};

#define RG_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Walks the list; the current node may be removed meanwhile. `it` is a name, not an expression. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define RG_LIST_EACH(it, head)                                                                     \
    for (struct rg_list *it = (head)->next, *it##_next = it->next; it != (head);                   \
         it = it##_next, it##_next = it->next)
/* NOLINTEND(bugprone-macro-parentheses) */

static inline void rg_list_init(struct rg_list *list)
{
    list->prev = list->next = list;
}

static inline bool rg_list_empty(const struct rg_list *list)
{
    return list->next == list;
}

static inline void rg_list_append(struct rg_list *head, struct rg_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Does nothing where the node is in no list. */
static inline void rg_list_remove(struct rg_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    rg_list_init(node);
}

#endif
