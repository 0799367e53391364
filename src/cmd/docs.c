#include "cmd/docs.h"

#include "base/buf.h"
#include "base/panic.h"
#include "cmd/keyspec.h"
#include "cmd/syntax.h"

/* ---- Words of a column ---- */

/* The next word of text up to one of the separators, taken off its front; false at the end. */
static bool docs_next_word(struct rg_bytes *text, char separator, struct rg_bytes *ret_word)
{
    if (text->len == 0)
        return false;
    const char *end = memchr(text->data, separator, text->len);
    size_t len = end != NULL ? (size_t)(end - text->data) : text->len;
    size_t skip = end != NULL ? len + 1 : len;
    *ret_word = rg_bytes(text->data, len);
    *text = rg_bytes(text->data + skip, text->len - skip);
    return true;
}

static int docs_count_words(struct rg_bytes text, char separator)
{
    struct rg_bytes word;
    int count = 0;

    while (docs_next_word(&text, separator, &word))
        count++;
    return count;
}

static void docs_status(struct rg_reply *reply, const char *prefix, struct rg_bytes word)
{
    enum { STATUS_MAX = 64 };
    char text[STATUS_MAX];
    size_t prefix_len = strlen(prefix);

    RG_ASSERT(prefix_len + word.len < sizeof(text));
    memcpy(text, prefix, prefix_len);
    memcpy(text + prefix_len, word.data, word.len);
    text[prefix_len + word.len] = '\0';
    rg_reply_simple(reply, text);
}

/* A set of the words as simple strings, or as bulks. */
static void docs_words(struct rg_reply *reply, struct rg_bytes text, const char *prefix, bool bulk)
{
    struct rg_bytes word;

    rg_reply_set(reply, docs_count_words(text, ' '));
    while (docs_next_word(&text, ' ', &word)) {
        if (bulk)
            rg_reply_bulk(reply, word);
        else
            docs_status(reply, prefix, word);
    }
}

/* ---- COMMAND INFO ---- */

static void docs_flags(struct rg_reply *reply, const struct rg_command *command)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } names[] = {
        {RG_CMD_WRITE, "write"},
        {RG_CMD_READONLY, "readonly"},
        {RG_CMD_DENYOOM, "denyoom"},
        {RG_CMD_ADMIN, "admin"},
        {RG_CMD_PUBSUB, "pubsub"},
        {RG_CMD_NOSCRIPT, "noscript"},
        {RG_CMD_BLOCKING, "blocking"},
        {RG_CMD_LOADING, "loading"},
        {RG_CMD_STALE, "stale"},
        {RG_CMD_SKIP_MONITOR, "skip_monitor"},
        {RG_CMD_SKIP_SLOWLOG, "skip_slowlog"},
        {RG_CMD_FAST, "fast"},
        {RG_CMD_NO_AUTH, "no_auth"},
        {RG_CMD_NO_ASYNC_LOADING, "no_async_loading"},
        {RG_CMD_NO_MULTI, "no_multi"},
        {RG_CMD_NO_MANDATORY_KEYS, "no_mandatory_keys"},
        {RG_CMD_MOVABLEKEYS, "movablekeys"},
        {RG_CMD_ALLOW_BUSY, "allow_busy"},
    };
    int count = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        count += (command->flags & names[i].flag) != 0;
    rg_reply_set(reply, count);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (command->flags & names[i].flag)
            rg_reply_simple(reply, names[i].name);
    }
}

static void docs_head_of_spec(struct rg_reply *reply, const char *part, const char *type, int pairs)
{
    rg_reply_bulk_str(reply, part);
    rg_reply_map(reply, 2);
    rg_reply_bulk_str(reply, "type");
    rg_reply_bulk_str(reply, type);
    rg_reply_bulk_str(reply, "spec");
    rg_reply_map(reply, pairs);
}

static void docs_number(struct rg_reply *reply, const char *name, int value)
{
    rg_reply_bulk_str(reply, name);
    rg_reply_i64(reply, value);
}

static void docs_begin_search(struct rg_reply *reply, const struct rg_key_spec *spec)
{
    if (spec->begin == RG_KEY_BEGIN_INDEX) {
        docs_head_of_spec(reply, "begin_search", "index", 1);
        docs_number(reply, "index", spec->index);
    } else if (spec->begin == RG_KEY_BEGIN_KEYWORD) {
        docs_head_of_spec(reply, "begin_search", "keyword", 2);
        rg_reply_bulk_str(reply, "keyword");
        rg_reply_bulk(reply, spec->keyword);
        docs_number(reply, "startfrom", spec->index);
    } else {
        docs_head_of_spec(reply, "begin_search", "unknown", 0);
    }
}

static void docs_find_keys(struct rg_reply *reply, const struct rg_key_spec *spec)
{
    if (spec->find == RG_KEY_FIND_RANGE) {
        docs_head_of_spec(reply, "find_keys", "range", 3);
        docs_number(reply, "lastkey", spec->last);
        docs_number(reply, "keystep", spec->step);
        docs_number(reply, "limit", 0);
    } else if (spec->find == RG_KEY_FIND_KEYNUM) {
        docs_head_of_spec(reply, "find_keys", "keynum", 3);
        docs_number(reply, "keynumidx", 0);
        docs_number(reply, "firstkey", 1);
        docs_number(reply, "keystep", 1);
    } else {
        docs_head_of_spec(reply, "find_keys", "unknown", 0);
    }
}

/* What the flags of a specification do not tell. */
static const char *docs_note(const struct rg_command *command, int spec)
{
    static const struct {
        uint16_t id;
        int spec;
        const char *note;
    } notes[] = {
        {RG_CMD_ID_bitfield, 0, "Only GET leaves the value as it is"},
        {RG_CMD_ID_eval, 0, "What a script does with its keys is not known: anything"},
        {RG_CMD_ID_eval_ro, 0, "What a script does with its keys is not known: it may read them"},
        {RG_CMD_ID_getex, 0, "RW and update for the expiry, which it may change"},
        {RG_CMD_ID_pfcount, 0, "RW since the count is kept in the value, and so replicated"},
        {RG_CMD_ID_set, 0, "RW and access only where GET is given"},
        {RG_CMD_ID_sort, 1, "BY and GET make names of keys out of the elements"},
        {RG_CMD_ID_sort, 2, "STORE may stand anywhere among the options"},
        {RG_CMD_ID_sort_ro, 1, "BY and GET make names of keys out of the elements"},
    };

    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        if (notes[i].id == command->id && notes[i].spec == spec)
            return notes[i].note;
    }
    return NULL;
}

void rg_cmd_reply_key_flags(struct rg_reply *reply, struct rg_bytes flags)
{
    docs_words(reply, flags, "", false);
}

static void docs_key_specs(struct rg_reply *reply, const struct rg_command *command)
{
    struct rg_key_spec specs[RG_KEY_SPECS_MAX];
    int count = rg_key_specs(command, specs);

    rg_reply_set(reply, count);
    for (int i = 0; i < count; i++) {
        const char *note = docs_note(command, i);
        rg_reply_map(reply, 3 + (note != NULL));
        if (note != NULL) {
            rg_reply_bulk_str(reply, "notes");
            rg_reply_bulk_str(reply, note);
        }
        rg_reply_bulk_str(reply, "flags");
        docs_words(reply, specs[i].flags, "", false);
        docs_begin_search(reply, &specs[i]);
        docs_find_keys(reply, &specs[i]);
    }
}

/* All but the tenth element. */
static void docs_info_head(struct rg_reply *reply, const struct rg_command *command)
{
    rg_reply_array(reply, 10);
    rg_reply_bulk_str(reply, command->name);
    rg_reply_i64(reply, command->arity);
    docs_flags(reply, command);
    rg_reply_i64(reply, command->first_key);
    rg_reply_i64(reply, command->last_key);
    rg_reply_i64(reply, command->key_step);
    docs_words(reply, rg_bytes_str(command->acl), "@", false);
    docs_words(reply, rg_bytes_str(command->tips), "", true);
    docs_key_specs(reply, command);
}

/* The next visible subcommand behind row, of its container; NULL for none. */
static const struct rg_command *docs_next_sub(const struct rg_command *container,
                                              const struct rg_command *row)
{
    for (unsigned id = row->id + 1U;; id++) {
        const struct rg_command *next = rg_cmd_by_id(id);
        if (next == NULL || next->parent != container)
            return NULL;
        if (!(next->flags & RG_CMD_HIDDEN))
            return next;
    }
}

static int docs_count_subs(const struct rg_command *container)
{
    int count = 0;

    for (const struct rg_command *sub = docs_next_sub(container, container); sub != NULL;
         sub = docs_next_sub(container, sub))
        count++;
    return count;
}

void rg_cmd_reply_info(struct rg_reply *reply, const struct rg_command *command)
{
    docs_info_head(reply, command);
    int subs = docs_count_subs(command);
    if (subs == 0) {
        rg_reply_set(reply, 0); /* as Redis writes the end of a command without any */
        return;
    }
    rg_reply_array(reply, subs);
    for (const struct rg_command *sub = docs_next_sub(command, command); sub != NULL;
         sub = docs_next_sub(command, sub)) {
        docs_info_head(reply, sub);
        rg_reply_set(reply, 0);
    }
}

/* ---- COMMAND DOCS ---- */

static const char *docs_arg_type(const struct rg_syntax_node *node)
{
    static const struct {
        const char *name;
        const char *type;
    } known[] = {
        {"key", "key"},
        {"key1", "key"},
        {"key2", "key"},
        {"newkey", "key"},
        {"source", "key"},
        {"destination", "key"},
        {"pattern", "pattern"},
        {"seconds", "integer"},
        {"milliseconds", "integer"},
        {"unix-time-seconds", "unix-time"},
        {"unix-time-milliseconds", "unix-time"},
        {"start", "integer"},
        {"end", "integer"},
        {"offset", "integer"},
        {"count", "integer"},
        {"cursor", "integer"},
        {"increment", "integer"},
        {"decrement", "integer"},
        {"len", "integer"},
        {"db", "integer"},
        {"destination-db", "integer"},
        {"index", "integer"},
        {"index1", "integer"},
        {"index2", "integer"},
        {"port", "integer"},
        {"timeout", "integer"},
        {"numreplicas", "integer"},
        {"protover", "integer"},
        {"client-id", "integer"},
        {"destkey", "key"},
        {"sourcekey", "key"},
    };

    if (node->kind == RG_SYNTAX_TOKEN)
        return "pure-token";
    if (node->kind != RG_SYNTAX_ARG)
        return node->kind == RG_SYNTAX_BLOCK ? "block" : "oneof";
    if (node->type.data != NULL)
        return rg_bytes_is(node->type, "double") ? "double" : "integer";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (rg_bytes_is(node->name, known[i].name))
            return known[i].type;
    }
    return "string";
}

/* Groups are named after what is in them. */
static void docs_arg_name(struct rg_buf *out, const struct rg_syntax *syntax,
                          const struct rg_syntax_node *node)
{
    if (node->kind == RG_SYNTAX_BLOCK || node->kind == RG_SYNTAX_ONEOF) {
        rg_buf_append_str(out, node->kind == RG_SYNTAX_BLOCK ? "block" : "choice");
        if (node->token.data != NULL) {
            rg_buf_append_char(out, '-');
            rg_buf_append_bytes(out, node->token);
        }
        for (int i = node->first; i >= 0; i = syntax->nodes[i].next) {
            if (syntax->nodes[i].name.data == NULL)
                continue;
            rg_buf_append_char(out, '-');
            rg_buf_append_bytes(out, syntax->nodes[i].name);
        }
    } else {
        rg_buf_append_bytes(out, node->name);
    }
    for (size_t i = out->head; i < out->tail; i++)
        out->data[i] = rg_ascii_lower(out->data[i]);
}

/* A node's map but for the children, which are its last value and follow. */
static void docs_arg_head(struct rg_reply *reply, const struct rg_syntax *syntax,
                          const struct rg_syntax_node *node, int *key_spec)
{
    const char *type = docs_arg_type(node);
    bool is_key = strcmp(type, "key") == 0;
    struct rg_bytes token = node->kind == RG_SYNTAX_TOKEN ? node->name : node->token;
    bool flags = node->optional || node->multiple;
    struct rg_buf name = {0};

    docs_arg_name(&name, syntax, node);
    rg_reply_map(reply, 2 + is_key + (token.data != NULL) + flags + (node->first >= 0));
    rg_reply_bulk_str(reply, "name");
    rg_reply_bulk(reply, rg_buf_view(&name));
    rg_buf_fini(&name);
    rg_reply_bulk_str(reply, "type");
    rg_reply_bulk_str(reply, type);
    if (is_key) {
        rg_reply_bulk_str(reply, "key_spec_index");
        rg_reply_i64(reply, *key_spec);
    }
    if (token.data != NULL) {
        rg_reply_bulk_str(reply, "token");
        rg_reply_bulk(reply, token);
    }
    if (flags) {
        rg_reply_bulk_str(reply, "flags");
        rg_reply_set(reply, node->optional + node->multiple);
        if (node->optional)
            rg_reply_simple(reply, "optional");
        if (node->multiple)
            rg_reply_simple(reply, "multiple");
    }
    if (node->first >= 0) {
        rg_reply_bulk_str(reply, "arguments");
        rg_reply_array(reply, rg_syntax_siblings(syntax, node->first));
    }
}

/* Walks the tree in the order of the reply; the stack holds what comes after the children. */
static void docs_arguments(struct rg_reply *reply, const struct rg_command *command,
                           const struct rg_syntax *syntax)
{
    int stack[RG_SYNTAX_MAX_NODES];
    int depth = 0;
    int spec_count = docs_count_words(rg_bytes_str(command->key_flags), '|');
    int keys = 0;

    rg_reply_bulk_str(reply, "arguments");
    rg_reply_array(reply, rg_syntax_siblings(syntax, syntax->first));
    stack[depth++] = syntax->first;
    while (depth > 0) {
        int index = stack[--depth];
        const struct rg_syntax_node *node = &syntax->nodes[index];
        int key_spec = keys < spec_count ? keys : spec_count - 1;
        docs_arg_head(reply, syntax, node, &key_spec);
        keys += node->kind == RG_SYNTAX_ARG && strcmp(docs_arg_type(node), "key") == 0;
        if (node->next >= 0)
            stack[depth++] = node->next;
        if (node->first >= 0)
            stack[depth++] = node->first;
    }
}

static void docs_pair(struct rg_reply *reply, const char *name, const char *value)
{
    rg_reply_bulk_str(reply, name);
    rg_reply_bulk_str(reply, value);
}

/* A command's map but for the subcommands, which are its last value and follow. */
static void docs_head(struct rg_reply *reply, const struct rg_command *command, int subs)
{
    struct rg_syntax syntax;

    int result = rg_syntax_parse(rg_bytes_str(command->syntax), &syntax);
    RG_ASSERT(result == 0); /* the table is ours */
    rg_reply_map(reply, 4 + (syntax.first >= 0) + (subs > 0));
    docs_pair(reply, "summary", command->summary);
    docs_pair(reply, "since", command->since);
    docs_pair(reply, "group", command->group);
    docs_pair(reply, "complexity", command->complexity);
    if (syntax.first >= 0)
        docs_arguments(reply, command, &syntax);
}

void rg_cmd_reply_docs(struct rg_reply *reply, const struct rg_command *command)
{
    int subs = docs_count_subs(command);

    docs_head(reply, command, subs);
    if (subs == 0)
        return;
    rg_reply_bulk_str(reply, "subcommands");
    rg_reply_map(reply, subs);
    for (const struct rg_command *sub = docs_next_sub(command, command); sub != NULL;
         sub = docs_next_sub(command, sub)) {
        rg_reply_bulk_str(reply, sub->name);
        docs_head(reply, sub, 0);
    }
}

/* ---- HELP ---- */

static void docs_help_line(struct rg_reply *reply, struct rg_buf *line)
{
    rg_buf_append_char(line, '\0');
    rg_reply_simple(reply, rg_buf_view(line).data);
    rg_buf_reset(line, SIZE_MAX);
}

static void docs_append_upper(struct rg_buf *line, const char *text)
{
    for (; *text != '\0'; text++)
        rg_buf_append_char(line, rg_ascii_upper(*text));
}

void rg_cmd_reply_help(struct rg_reply *reply, const struct rg_command *container)
{
    struct rg_buf line = {0};
    size_t skip = strlen(container->name) + 1;

    rg_reply_array(reply, 1 + 2 * docs_count_subs(container));
    docs_append_upper(&line, container->name);
    rg_buf_append_str(&line, " <subcommand> [<arg> ...]. The subcommands:");
    docs_help_line(reply, &line);
    for (const struct rg_command *sub = docs_next_sub(container, container); sub != NULL;
         sub = docs_next_sub(container, sub)) {
        docs_append_upper(&line, sub->name + skip);
        rg_buf_printf(&line, "%s%s", sub->syntax[0] != '\0' ? " " : "", sub->syntax);
        docs_help_line(reply, &line);
        rg_buf_printf(&line, "    %s", sub->summary);
        docs_help_line(reply, &line);
    }
    rg_buf_fini(&line);
}
