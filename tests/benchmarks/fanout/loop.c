/* The limit and the load: `loop serve` is an epoll server that does one write for each client and event and nothing else;
 * `loop load` opens the connections of a run and counts what arrives. One file, so that the two agree on the marker.
 *
 *   loop serve PORT                          POST anything = one event to all streams; GET = a stream; GET + Upgrade = a socket
 *   loop load PORT PATH sse|ws N DELIVERIES  prints "open" when N are open, "all" when an event has reached
 *                                          all, and "done SECONDS" after so many deliveries
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK '^' /* once in the payload of each event, nowhere else (94 is no length of a frame here; 126, '~', is) */
#define MOST 65536
enum { NEW, SSE, WS };

static char buffer[1 << 18];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void watch(int loop, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static struct sockaddr_in here(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd full = {.fd = fd, .events = POLLOUT};
            poll(&full, 1, 1000);
        } else if (n < 0) {
            return;
        } else {
            bytes += n;
            size -= n;
        }
    }
}

static void serve(int port) {
    static char kind[MOST], body[4096], sse[4400], ws[4400];
    int one = 1, top = 0, loop = epoll_create1(0), listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = here(port);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listening, (void *)&address, sizeof address) || listen(listening, 4096)) die("listen");
    watch(loop, listening);
    for (;;) {
        struct epoll_event ready[256];
        int count = epoll_wait(loop, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            if (fd == listening) {
                int fresh;
                while ((fresh = accept4(listening, 0, 0, SOCK_NONBLOCK)) >= 0) {
                    if (fresh >= MOST) die("too many connections");
                    setsockopt(fresh, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    kind[fresh] = NEW;
                    if (fresh > top) top = fresh;
                    watch(loop, fresh);
                }
                continue;
            }
            ssize_t size = read(fd, buffer, sizeof buffer - 1);
            if (size <= 0) {
                kind[fd] = NEW;
                close(fd);
                continue;
            }
            buffer[size] = 0; /* requests of this benchmark come in one piece */
            if (!strncmp(buffer, "POST", 4)) {
                char *text = strstr(buffer, "\r\n\r\n");
                int length = snprintf(body, sizeof body, "id: 000000000000-1\nevent: news\ndata: %s\n\n", text ? text + 4 : "");
                int chunk = snprintf(sse, sizeof sse, "%x\r\n%s\r\n", length, body);
                int head = length < 126 ? 2 : 4;
                ws[0] = (char)0x81;
                ws[1] = head == 2 ? length : 126;
                if (head == 4) ws[2] = length >> 8, ws[3] = length & 255;
                memcpy(ws + head, body, length);
                for (int other = 0; other <= top; other++) {
                    if (kind[other] == SSE) write_all(other, sse, chunk);
                    if (kind[other] == WS) write_all(other, ws, head + length);
                }
                const char *created = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
                write_all(fd, created, strlen(created));
            } else {
                int socket_wanted = strcasestr(buffer, "\r\nupgrade: websocket") != 0;
                const char *answer = socket_wanted
                    ? "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: the-load-does-not-look\r\n\r\n"
                    : "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
                kind[fd] = socket_wanted ? WS : SSE;
                write_all(fd, answer, strlen(answer));
            }
        }
    }
}

static int open_one(int port, const char *path, int ws) {
    struct sockaddr_in address = here(port);
    char request[1024];
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (void *)&address, sizeof address)) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int size = snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\nUser-Agent: Mozilla/5.0\r\n"
        "Accept-Language: en\r\n%s\r\n",
        path, port, port,
        ws ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
           : "Accept: text/event-stream\r\nCache-Control: no-cache\r\n");
    write_all(fd, request, size);
    size = read(fd, buffer, sizeof buffer - 1);
    buffer[size < 0 ? 0 : size] = 0;
    if (!strstr(buffer, ws ? " 101 " : " 200 ")) {
        fprintf(stderr, "refused: %.200s\n", buffer);
        exit(1);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void load(int port, const char *path, int ws, int clients, long deliveries) {
    int loop = epoll_create1(0);
    long seen = 0;
    double began = 0; /* the first delivery */
    for (int i = 0; i < clients; i++) watch(loop, open_one(port, path, ws));
    puts("open");
    fflush(stdout);
    while (seen < deliveries) {
        struct epoll_event ready[256];
        int count = epoll_wait(loop, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            ssize_t size = read(ready[i].data.fd, buffer, sizeof buffer);
            if (size <= 0) die("a stream ended");
            for (char *at = buffer; (at = memchr(at, MARK, buffer + size - at)); at++) {
                if (!began) began = now();
                if (++seen % clients == 0) {
                    puts("all");
                    fflush(stdout);
                }
            }
        }
    }
    printf("done %.4f\n", now() - began);
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct rlimit limit;
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (argc == 3 && !strcmp(argv[1], "serve")) serve(atoi(argv[2]));
    if (argc == 7 && !strcmp(argv[1], "load")) load(atoi(argv[2]), argv[3], !strcmp(argv[4], "ws"), atoi(argv[5]), atol(argv[6]));
    return argc == 3 || argc == 7 ? 0 : 2;
}
