#include "sim/log_tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "proto/resp.h"

void sim_log_tree_init(struct sim_log_tree *tree, struct sim_loop *loop)
{
    *tree = (struct sim_log_tree){.loop = loop};
}

void sim_log_tree_fini(struct sim_log_tree *tree)
{
    if (tree == NULL)
        return;
    for (unsigned i = 0; i < tree->count; i++) {
        rg_buf_fini(&tree->branches[i]->bytes);
        rg_free(tree->branches[i]);
    }
    rg_free(tree->values);
}

struct sim_branch *sim_log_tree_find(const struct sim_log_tree *tree, const char *replid)
{
    for (unsigned i = tree->count; i-- > 0;) {
        if (strcmp(tree->branches[i]->replid, replid) == 0)
            return tree->branches[i];
    }
    return NULL;
}

uint64_t sim_branch_end(const struct sim_branch *branch)
{
    return branch->start + rg_buf_len(&branch->bytes);
}

bool sim_log_tree_holds(const struct sim_branch *branch, uint64_t end, struct sim_place place)
{
    /* A place before the branch's own first byte belongs to the one that it left. */
    while (place.branch != NULL && place.offset <= place.branch->start)
        place.branch = place.branch->parent;
    if (place.branch == NULL)
        return true;
    while (branch != NULL && branch != place.branch) {
        end = end < branch->start ? end : branch->start;
        branch = branch->parent;
    }
    return branch != NULL && place.offset <= end;
}

unsigned sim_log_tree_copies(const struct sim_log_tree *tree, unsigned nodes,
                             struct sim_place place)
{
    unsigned copies = 0;

    for (unsigned node = 0; node < nodes; node++) {
        bool held = false;
        for (unsigned i = 0; i < tree->count && !held; i++) {
            const struct sim_branch *branch = tree->branches[i];
            held = branch->held[node] > 0 && sim_log_tree_holds(branch, branch->held[node], place);
        }
        copies += held;
    }
    return copies;
}

bool sim_log_tree_matches(const struct sim_branch *branch, uint64_t offset, struct rg_bytes bytes)
{
    if (offset + bytes.len > sim_branch_end(branch))
        return false;
    while (bytes.len > 0) {
        if (branch == NULL)
            return false;
        if (offset + bytes.len <= branch->start) {
            branch = branch->parent;
            continue;
        }
        /* From the end towards the start, as the chain is linked. */
        uint64_t from = offset > branch->start ? offset : branch->start;
        size_t len = (size_t)(offset + bytes.len - from);
        if (memcmp(rg_buf_view(&branch->bytes).data + (from - branch->start),
                   bytes.data + (from - offset), len) != 0)
            return false;
        bytes.len -= len;
        branch = branch->parent;
    }
    return true;
}

/* ---- Growth ---- */

/* The value that a write of the workload carries ("v123", as last argument or as SET's value). */
static int64_t tree_value_of(const struct rg_request *request)
{
    int position = 0;
    int64_t value = 0;

    if (request->argc >= 3 && rg_bytes_is_nocase(request->argv[0], "set"))
        position = 2;
    else if (request->argc == 4 && rg_bytes_is_nocase(request->argv[0], "hset"))
        position = 3;
    if (position == 0 || request->argv[position].len < 2 || request->argv[position].data[0] != 'v')
        return -1;
    struct rg_bytes digits =
        rg_bytes(request->argv[position].data + 1, request->argv[position].len - 1);
    return rg_parse_i64(digits, &value) == 0 && value >= 0 ? value : -1;
}

static void tree_note_value(struct sim_log_tree *tree, int64_t value, struct sim_place place)
{
    size_t need = (size_t)value + 1;

    if (value < 0)
        return;
    if (need > tree->value_cap) {
        size_t cap = tree->value_cap ? tree->value_cap : 256;
        while (cap < need)
            cap *= 2;
        tree->values = rg_realloc(tree->values, cap * sizeof(struct sim_place));
        memset(tree->values + tree->value_cap, 0,
               (cap - tree->value_cap) * sizeof(struct sim_place));
        tree->value_cap = cap;
    }
    if (tree->values[value].branch != NULL)
        sim_fail(tree->loop, "invariant 4: v%lld was written to the log twice", (long long)value);
    tree->values[value] = place;
}

struct sim_place sim_log_tree_value(const struct sim_log_tree *tree, int64_t value)
{
    if (value < 0 || (size_t)value >= tree->value_cap)
        return (struct sim_place){0};
    return tree->values[value];
}

/* Is this the record that begins a term? */
static bool tree_record(const struct rg_request *request, uint64_t *ret_term, char *ret_replid)
{
    char line[160];
    unsigned long long term = 0;

    if (request->argc != 3 || !rg_bytes_is(request->argv[1], "__regent__:group") ||
        request->argv[2].len >= sizeof(line))
        return false;
    memcpy(line, request->argv[2].data, request->argv[2].len);
    line[request->argv[2].len] = '\0';
    /* NOLINTNEXTLINE(cert-err34-c): a form that the node itself wrote */
    if (sscanf(line, "term %llu replid %40s", &term, ret_replid) != 2)
        return false;
    *ret_term = term;
    return true;
}

/* No term has two primaries (invariant 1), and no term leaves out what clients were shown of an
 * older one (invariant 3). */
static void tree_judge_branch(struct sim_log_tree *tree, const struct sim_branch *added)
{
    for (unsigned i = 0; i < tree->count; i++) {
        struct sim_branch *other = tree->branches[i];
        if (other == added)
            continue;
        if (other->term == added->term)
            sim_fail(tree->loop, "invariant 1: n%u and n%u both lead term %llu", other->owner,
                     added->owner, (unsigned long long)added->term);
        if (other->term < added->term && other->shown > 0 &&
            !sim_log_tree_holds(added, added->start, (struct sim_place){other, other->shown}))
            sim_fail(tree->loop,
                     "invariant 3: n%u leads term %llu from offset %llu on, without what clients "
                     "were shown of term %llu up to offset %llu",
                     added->owner, (unsigned long long)added->term,
                     (unsigned long long)added->start, (unsigned long long)other->term,
                     (unsigned long long)other->shown);
    }
}

static struct sim_branch *tree_branch(struct sim_log_tree *tree, unsigned owner,
                                      struct sim_place at, uint64_t term, const char *replid)
{
    if (tree->count == SIM_MAX_BRANCHES) {
        sim_fail(tree->loop, "more than %d terms", SIM_MAX_BRANCHES);
        return NULL;
    }
    struct sim_branch *branch = RG_NEW(struct sim_branch);
    (void)snprintf(branch->replid, sizeof(branch->replid), "%s", replid);
    branch->term = term;
    branch->owner = owner;
    branch->parent = at.branch;
    branch->start = at.offset;
    tree->branches[tree->count++] = branch;
    sim_trace_line(&tree->loop->trace, tree->loop->now_us, "log: n%u begins term %llu at %llu",
                   owner, (unsigned long long)term, (unsigned long long)at.offset);
    tree_judge_branch(tree, branch);
    return branch;
}

void sim_log_tree_extend(struct sim_log_tree *tree, unsigned owner, struct sim_place *at,
                         struct rg_bytes bytes)
{
    struct rg_request_parser parser = {.authenticated = true};
    struct rg_request request;

    while (bytes.len > 0 && !tree->loop->failed) {
        uint64_t term = 0;
        char replid[RG_REPLID_LEN + 1];
        if (rg_request_parse(&parser, bytes, &request) < 0) {
            sim_fail(tree->loop, "n%u's log does not end behind a whole command", owner);
            break;
        }
        if (tree_record(&request, &term, replid) &&
            (at->branch == NULL || strcmp(replid, at->branch->replid) != 0)) {
            at->branch = tree_branch(tree, owner, *at, term, replid);
            if (at->branch == NULL)
                break;
        }
        if (at->branch == NULL || at->branch->owner != owner ||
            sim_branch_end(at->branch) != at->offset) {
            sim_fail(tree->loop,
                     "invariant 4: n%u's log goes on behind offset %llu with bytes that no primary "
                     "wrote there",
                     owner, (unsigned long long)at->offset);
            break;
        }
        rg_buf_append(&at->branch->bytes, bytes.data, request.size);
        at->offset += request.size;
        tree_note_value(tree, tree_value_of(&request), *at);
        bytes = rg_bytes(bytes.data + request.size, bytes.len - request.size);
    }
    rg_request_parser_fini(&parser);
}
