#include "cmd/syntax.h"

#include "base/panic.h"

enum { SYNTAX_MAX_DEPTH = 8 };

/*
 * An open bracket is a ONEOF whose alternatives are BLOCKs; closing it takes away what holds only
 * one thing. The top level is such a bracket too.
 */
struct syntax_level {
    int group;
    int block;
    char closer;
};

struct syntax_reader {
    struct rg_syntax *syntax;
    struct rg_bytes text;
    size_t pos;
    struct syntax_level levels[SYNTAX_MAX_DEPTH];
    int depth;
};

int rg_syntax_siblings(const struct rg_syntax *syntax, int node)
{
    int count = 0;

    for (; node >= 0; node = syntax->nodes[node].next)
        count++;
    return count;
}

/* Errors: RG_ELIMIT. */
static int syntax_add(struct rg_syntax *syntax, int parent, enum rg_syntax_kind kind)
{
    if (syntax->count == RG_SYNTAX_MAX_NODES)
        return RG_ELIMIT;
    int index = syntax->count++;
    syntax->nodes[index] = (struct rg_syntax_node){.kind = kind, .first = -1, .next = -1};
    if (parent >= 0) {
        int *link = &syntax->nodes[parent].first;
        while (*link >= 0)
            link = &syntax->nodes[*link].next;
        *link = index;
    }
    return index;
}

/* Puts its only child in the place of a node; what was said of either holds for it. */
static void syntax_absorb_child(struct rg_syntax *syntax, int index)
{
    struct rg_syntax_node *node = &syntax->nodes[index];
    struct rg_syntax_node merged = syntax->nodes[node->first];

    merged.optional |= node->optional;
    merged.multiple |= node->multiple;
    if (node->token.data != NULL)
        merged.token = node->token;
    merged.next = node->next;
    *node = merged;
}

static bool syntax_has_one_child(const struct rg_syntax *syntax, int index)
{
    int first = syntax->nodes[index].first;

    return first >= 0 && syntax->nodes[first].next < 0;
}

/* "EX seconds" is an argument behind a token; "AUTH username password" a block behind one. */
static void syntax_close_block(struct rg_syntax *syntax, int index)
{
    struct rg_syntax_node *block = &syntax->nodes[index];

    if (block->first < 0)
        return;
    const struct rg_syntax_node *head = &syntax->nodes[block->first];
    if (head->kind == RG_SYNTAX_TOKEN && head->next >= 0 && !head->optional &&
        syntax->nodes[head->next].kind != RG_SYNTAX_TOKEN &&
        syntax->nodes[head->next].token.data == NULL) {
        block->token = head->name;
        block->first = head->next;
    }
    if (syntax_has_one_child(syntax, index))
        syntax_absorb_child(syntax, index);
}

/* Errors: RG_ELIMIT. */
static int syntax_open(struct syntax_reader *reader, char closer)
{
    int parent = reader->depth > 0 ? reader->levels[reader->depth - 1].block : -1;

    if (reader->depth == SYNTAX_MAX_DEPTH)
        return RG_ELIMIT;
    int group = syntax_add(reader->syntax, parent, RG_SYNTAX_ONEOF);
    int block = group >= 0 ? syntax_add(reader->syntax, group, RG_SYNTAX_BLOCK) : group;
    if (block < 0)
        return block;
    reader->levels[reader->depth++] = (struct syntax_level){group, block, closer};
    return 0;
}

/* Errors: RG_ELIMIT. */
static int syntax_alternative(struct syntax_reader *reader)
{
    struct syntax_level *level = &reader->levels[reader->depth - 1];

    syntax_close_block(reader->syntax, level->block);
    level->block = syntax_add(reader->syntax, level->group, RG_SYNTAX_BLOCK);
    return level->block < 0 ? level->block : 0;
}

static bool syntax_take_dots(struct syntax_reader *reader)
{
    struct rg_bytes rest =
        rg_bytes(reader->text.data + reader->pos, reader->text.len - reader->pos);

    if (!rg_bytes_starts_with(rest, RG_BYTES("...")))
        return false;
    reader->pos += 3;
    return true;
}

/* Errors: RG_EINVAL. */
static int syntax_close(struct syntax_reader *reader, char closer)
{
    struct syntax_level *level = &reader->levels[reader->depth - 1];
    struct rg_syntax *syntax = reader->syntax;

    if (reader->depth < 2 || level->closer != closer)
        return RG_EINVAL;
    reader->depth--;
    syntax_close_block(syntax, level->block);
    syntax->nodes[level->group].optional = closer == ']';
    syntax->nodes[level->group].multiple = syntax_take_dots(reader);
    if (syntax_has_one_child(syntax, level->group))
        syntax_absorb_child(syntax, level->group);
    return 0;
}

static bool syntax_is_token(struct rg_bytes word)
{
    bool letters = false;

    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] >= 'a' && word.data[i] <= 'z')
            return false;
        letters |= word.data[i] >= 'A' && word.data[i] <= 'Z';
    }
    return letters;
}

/* Errors: RG_ELIMIT. */
static int syntax_word(struct syntax_reader *reader)
{
    size_t start = reader->pos;

    while (reader->pos < reader->text.len && !strchr(" []<>|.", reader->text.data[reader->pos]))
        reader->pos++;
    if (reader->pos == start)
        return RG_EINVAL;
    struct rg_bytes word = rg_bytes(reader->text.data + start, reader->pos - start);
    bool token = syntax_is_token(word);
    int index = syntax_add(reader->syntax, reader->levels[reader->depth - 1].block,
                           token ? RG_SYNTAX_TOKEN : RG_SYNTAX_ARG);
    if (index < 0)
        return index;
    struct rg_syntax_node *node = &reader->syntax->nodes[index];
    const char *colon = token ? NULL : memrchr(word.data, ':', word.len);
    node->name = word;
    /* "ip:port" is a name; a type is one that documentation knows. */
    if (colon != NULL) {
        struct rg_bytes type = rg_bytes(colon + 1, (size_t)(word.data + word.len - colon - 1));
        if (rg_bytes_is(type, "double") || rg_bytes_is(type, "integer")) {
            node->name.len = (size_t)(colon - word.data);
            node->type = type;
        }
    }
    node->multiple = syntax_take_dots(reader);
    return 0;
}

/* Errors: RG_EINVAL, RG_ELIMIT. */
static int syntax_step(struct syntax_reader *reader)
{
    switch (reader->text.data[reader->pos]) {
    case ' ':
        reader->pos++;
        return 0;
    case '[':
        reader->pos++;
        return syntax_open(reader, ']');
    case '<':
        reader->pos++;
        return syntax_open(reader, '>');
    case ']':
        reader->pos++;
        return syntax_close(reader, ']');
    case '>':
        reader->pos++;
        return syntax_close(reader, '>');
    case '|':
        reader->pos++;
        return syntax_alternative(reader);
    default:
        return syntax_word(reader);
    }
}

int rg_syntax_parse(struct rg_bytes text, struct rg_syntax *ret_syntax)
{
    struct syntax_reader reader = {.syntax = ret_syntax, .text = text};

    ret_syntax->count = 0;
    int result = syntax_open(&reader, '\0');
    while (result == 0 && reader.pos < text.len)
        result = syntax_step(&reader);
    if (result < 0)
        return result;
    if (reader.depth != 1)
        return RG_EINVAL;
    /* The top level is a list, not a group: alternatives at the top stay one argument. */
    struct rg_syntax_node *top = &ret_syntax->nodes[reader.levels[0].group];
    if (syntax_has_one_child(ret_syntax, reader.levels[0].group)) {
        ret_syntax->first = ret_syntax->nodes[top->first].first;
        return 0;
    }
    syntax_close_block(ret_syntax, reader.levels[0].block);
    ret_syntax->first = reader.levels[0].group;
    return 0;
}
