/* A cheap SMTP server that takes every message and keeps none: what is measured is the client.
 *
 *     cc -O2 -o sink sink.c && ./sink [-d MILLISECONDS] [-l FILE] [-r FILE]
 *
 * Listens on a free port of 127.0.0.1 and prints it. `-d` delays every reply. `-l` writes to a file by which link the
 * reader of each message leaves (List-Unsubscribe, RFC 2369), a line each; `-r` the recipient of each message that it
 * has taken, before it says so. For every input it prints how many messages and bytes it has taken; at the end of the
 * input, too, and then it ends.
 *
 * One thread, epoll. All clients are read into one buffer, which stays in the processor's cache; what is not
 * understood yet (a part of a command, the last bytes of a part of a message) is kept for the client's next bytes.
 * Messages are not parsed: their end is found by looking at each dot, since few bytes of a mail are dots.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { REST = 1 << 16, READ = 1 << 17, OUTPUT = 4096, CLIENTS = 1024, LATE = 1 << 16, ADDRESS = 256 };

static const char message_end[] = "\r\n.\r\n";
enum { END = sizeof message_end - 1, LINE_END = 2 };

struct client {
    int fd, in_message, in_header, closing;
    unsigned serial; /* tells a late reply whether its client is still there */
    size_t kept;     /* bytes in `rest`, which are not understood yet */
    size_t said;
    char rest[REST], output[OUTPUT], recipient[ADDRESS];
};

struct reply { /* one that waits for its time; all wait equally long, so that they form a queue */
    int64_t due;
    struct client *client;
    unsigned serial;
    int closing;
    size_t length;
    char text[OUTPUT];
};

static struct client clients[CLIENTS];
static char input[REST + READ]; /* of the client that is heard: what was kept, and what it says now */
static struct reply late[LATE];
static size_t first_late, next_late;
static int64_t delay;
static unsigned long long messages, bytes;
static FILE *links, *recipients; /* NULL: they are not wanted */

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void end(struct client *c) {
    close(c->fd);
    c->fd = -1;
    c->serial++;
}

static void send_now(struct client *c, const char *text, size_t length, int closing) {
    if (send(c->fd, text, length, MSG_NOSIGNAL) != (ssize_t)length || closing) end(c);
}

static void say(struct client *c, const char *line) {
    size_t length = strlen(line);
    if (c->said + length <= OUTPUT) {
        memcpy(c->output + c->said, line, length);
        c->said += length;
    }
}

static void flush(struct client *c) {
    if (!c->said) return;
    if (!delay) {
        send_now(c, c->output, c->said, c->closing);
    } else {
        struct reply *r = &late[next_late++ % LATE];
        *r = (struct reply){.due = now() + delay, .client = c, .serial = c->serial, .closing = c->closing};
        r->length = c->said;
        memcpy(r->text, c->output, c->said);
    }
    c->said = 0;
}

static void obey(struct client *c, const char *line) {
    if (!strncasecmp(line, "EHLO", 4))
        say(c, "250-sink\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n");
    else if (!strncasecmp(line, "DATA", 4)) {
        say(c, "354 end with a dot\r\n");
        c->in_message = 1;
        c->in_header = links != NULL;
    } else if (!strncasecmp(line, "RCPT TO:<", 9)) {
        size_t length = strcspn(line + 9, ">\r\n");
        if (length >= ADDRESS) length = ADDRESS - 1;
        memcpy(c->recipient, line + 9, length);
        c->recipient[length] = 0;
        say(c, "250 2.0.0 ok\r\n");
    } else if (!strncasecmp(line, "QUIT", 4)) {
        say(c, "221 2.0.0 bye\r\n");
        c->closing = 1;
    } else
        say(c, "250 2.0.0 ok\r\n");
}

/* Return the first end of a message, or NULL. */
static const char *find_end(const char *start, const char *end) {
    const char *dot = start;
    while ((dot = memchr(dot, '.', (size_t)(end - dot)))) {
        if (dot - start >= 2 && end - dot >= 3 && !memcmp(dot - 2, message_end, END)) return dot - 2;
        dot++;
    }
    return NULL;
}

/* Write the link in a message's header to `links`, once the header is whole; return whether it is. */
static int take_link(const char *start, const char *end, int is_all) {
    static const char field[] = "\nList-Unsubscribe: <";
    const char *empty_line = memmem(start, (size_t)(end - start), "\r\n\r\n", 4);
    if (empty_line) end = empty_line;
    else if (!is_all) return 0;
    const char *link = memmem(start, (size_t)(end - start), field, sizeof field - 1);
    if (link) {
        link += sizeof field - 1;
        const char *close = memchr(link, '>', (size_t)(end - link));
        if (close) fprintf(links, "%.*s\n", (int)(close - link), link);
    }
    return 1;
}

/* Take some of a message, which begins with the line end before it; return how many bytes were understood. */
static size_t take(struct client *c, const char *start, const char *end) {
    const char *last = find_end(start, end);
    if (c->in_header) {
        if (!take_link(start, last ? last : end, last != NULL)) return 0;
        c->in_header = 0;
    }
    if (!last) { /* all but the last bytes, which may be the beginning of the end, can go */
        size_t done = end - start >= END ? (size_t)(end - start) - (END - 1) : 0;
        bytes += done;
        return done;
    }
    bytes += (size_t)(last - start) + END - LINE_END;
    c->in_message = 0;
    messages++;
    if (recipients) fprintf(recipients, "%s\n", c->recipient);
    say(c, "250 2.0.0 taken\r\n");
    return (size_t)(last - start) + END;
}

/* Take what can be understood of the first bytes of `input`; return how many bytes that were. */
static size_t understand(struct client *c, size_t held) {
    const char *at = input, *end = input + held;
    while (at < end && !c->closing) {
        if (c->in_message) {
            size_t done = take(c, at, end);
            at += done;
            if (c->in_message) break; /* there is more to come */
            continue;
        }
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline) break;
        obey(c, at);
        at = newline + 1;
        if (c->in_message) { /* an empty message is only a dot: the line end before it is that of the command */
            at -= LINE_END;
        }
    }
    return (size_t)(at - input);
}

static void hear(struct client *c) {
    memcpy(input, c->rest, c->kept);
    ssize_t got = read(c->fd, input + c->kept, READ);
    if (got <= 0) {
        end(c);
        return;
    }
    size_t held = c->kept + (size_t)got, done = understand(c, held);
    c->kept = held - done;
    if (c->kept > REST) {
        end(c); /* a command or a header without end */
        return;
    }
    memcpy(c->rest, input + done, c->kept);
    flush(c);
}

static void greet(int listener, int poll) {
    int fd = accept(listener, NULL, NULL), on = 1;
    struct client *c = clients;
    while (c < clients + CLIENTS && c->fd >= 0) c++;
    if (fd < 0 || c == clients + CLIENTS) {
        if (fd >= 0) close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->fd = fd;
    c->kept = c->said = 0;
    c->in_message = c->in_header = c->closing = 0;
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
    say(c, "220 sink\r\n");
    flush(c);
}

/* Send the replies whose time has come; return the milliseconds until the next one's. */
static int send_late(void) {
    for (; first_late != next_late; first_late++) {
        struct reply *r = &late[first_late % LATE];
        int64_t wait = r->due - now();
        if (wait > 0) return (int)(wait / 1000000) + 1;
        if (r->client->serial == r->serial) send_now(r->client, r->text, r->length, r->closing);
    }
    return -1;
}

int main(int count, char **arguments) {
    for (int i = 1; i + 1 < count; i += 2) {
        if (!strcmp(arguments[i], "-d")) delay = atoll(arguments[i + 1]) * 1000000;
        if (!strcmp(arguments[i], "-l") && !(links = fopen(arguments[i + 1], "w"))) {
            perror(arguments[i + 1]);
            return 1;
        }
        if (!strcmp(arguments[i], "-r") && !(recipients = fopen(arguments[i + 1], "w"))) {
            perror(arguments[i + 1]);
            return 1;
        }
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    for (struct client *c = clients; c < clients + CLIENTS; c++) c->fd = -1;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, CLIENTS) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("sink");
        return 1;
    }
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    epoll_ctl(poll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &delay});
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, send_late());
        for (int i = 0; i < ready; i++) {
            void *who = events[i].data.ptr;
            if (who == &delay) {
                char asked[64];
                ssize_t got = read(0, asked, sizeof asked);
                if (links) fflush(links);
                if (recipients) fflush(recipients);
                printf("{\"messages\": %llu, \"bytes\": %llu}\n", messages, bytes);
                fflush(stdout);
                if (got <= 0) return 0;
            }
            else if (!who)
                greet(listener, poll);
            else if (((struct client *)who)->fd >= 0)
                hear(who);
        }
    }
}
