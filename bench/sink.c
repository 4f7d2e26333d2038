/* A cheap SMTP server that takes every message and keeps none: what is measured is the client.
 *
 *     cc -O2 -o sink sink.c && ./sink [-d MILLISECONDS]
 *
 * Listens on a free port of 127.0.0.1 and prints it. `-d` delays every reply. At the end of its input it prints
 * how many messages and bytes it has taken, and ends. One thread, epoll; message bodies are searched with memmem(3)
 * for their end, not parsed.
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

enum { INPUT = 1 << 18, OUTPUT = 4096, CLIENTS = 1024, LATE = 1 << 16 };

struct client {
    int fd, in_message, closing;
    unsigned serial; /* tells a late reply whether its client is still there */
    size_t held;     /* bytes at the start of `input` that are not understood yet */
    size_t said;
    char input[INPUT], output[OUTPUT];
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
static struct reply late[LATE];
static size_t first_late, next_late;
static int64_t delay;
static unsigned long long messages, bytes;

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
    if (write(c->fd, text, length) != (ssize_t)length || closing) end(c);
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
    } else if (!strncasecmp(line, "QUIT", 4)) {
        say(c, "221 2.0.0 bye\r\n");
        c->closing = 1;
    } else
        say(c, "250 2.0.0 ok\r\n");
}

/* Take what can be understood from `input`; return how many bytes that were. */
static size_t understand(struct client *c) {
    size_t at = 0;
    while (at < c->held && !c->closing) {
        char *start = c->input + at;
        size_t left = c->held - at;
        if (c->in_message) {
            char *dot = memmem(start, left, "\r\n.\r\n", 5);
            if (!dot) { /* all but the last bytes, which may be the beginning of the end, can go */
                size_t done = left > 4 ? left - 4 : 0;
                bytes += done;
                return at + done;
            }
            bytes += (size_t)(dot - start) + 5;
            at += (size_t)(dot - start) + 5;
            c->in_message = 0;
            messages++;
            say(c, "250 2.0.0 taken\r\n");
        } else {
            char *newline = memchr(start, '\n', left);
            if (!newline) return at;
            obey(c, start);
            at += (size_t)(newline - start) + 1;
        }
    }
    return at;
}

static void hear(struct client *c) {
    ssize_t got = read(c->fd, c->input + c->held, INPUT - c->held);
    if (got <= 0) {
        end(c);
        return;
    }
    c->held += (size_t)got;
    size_t done = understand(c);
    memmove(c->input, c->input + done, c->held - done);
    c->held -= done;
    if (c->held == INPUT)
        end(c); /* a line without end */
    else
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
    c->held = c->said = 0;
    c->in_message = c->closing = 0;
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
    if (count == 3 && !strcmp(arguments[1], "-d")) delay = atoll(arguments[2]) * 1000000;
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
                printf("{\"messages\": %llu, \"bytes\": %llu}\n", messages, bytes);
                return 0;
            }
            if (!who)
                greet(listener, poll);
            else if (((struct client *)who)->fd >= 0)
                hear(who);
        }
    }
}
