/* A client of the TCP connector in C, with OpenSSL: sends one message and prints the frames that come.
 *
 *   cc -Wall -o client client.c -lssl -lcrypto
 *   PARLEY_TOKEN=... ./client HOST PORT APP CERTIFICATE KEY TEXT [AFTER]
 *
 * CERTIFICATE: a file with the certificate authority of the server. KEY: a name for the message, new for each one; with
 * the same name, a message that was stored already has no effect. AFTER: the cursor of the last reply that was printed.
 * It ends when the connection does: start it again with the last cursor.
 */
#include <netdb.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 131072 };
static char frame[LONGEST + 1];

/* Send a frame: four bytes with its length, then JSON. */
static void send_frame(SSL *tls, const char *json) {
    size_t length = strlen(json);
    unsigned char header[4] = {length >> 24, length >> 16, length >> 8, length};
    if (SSL_write(tls, header, 4) <= 0 || SSL_write(tls, json, (int)length) <= 0) exit(2);
}

/* Read so many bytes, however they arrive. Returns 0 at the end of the connection. */
static int read_all(SSL *tls, void *into, int wanted) {
    for (int done = 0, got; done < wanted; done += got)
        if ((got = SSL_read(tls, (char *)into + done, wanted - done)) <= 0) return 0;
    return 1;
}

static int connect_to(const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(host, port, &hints, &found)) return -1;
    int fd = -1;
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen)) close(fd), fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* TEXT and KEY are written into JSON: escape what JSON does not take as it is. */
static const char *escaped(const char *text) {
    char *out = malloc(strlen(text) * 6 + 1), *at = out;
    for (; out && *text; text++)
        at += (*text == '"' || *text == '\\') ? sprintf(at, "\\%c", *text)
              : (unsigned char)*text < 32     ? sprintf(at, "\\u%04x", *text)
                                              : sprintf(at, "%c", *text);
    if (!out) exit(2);
    *at = 0;
    return out;
}

int main(int argc, char **argv) {
    const char *token = getenv("PARLEY_TOKEN");
    if (argc < 7 || !token) return fprintf(stderr, "see the first lines of client.c\n"), 1;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    int fd = connect_to(argv[1], argv[2]);
    SSL *tls = SSL_new(context);
    if (!SSL_CTX_load_verify_locations(context, argv[4], NULL) || fd < 0 || !SSL_set_fd(tls, fd) ||
        !SSL_set_tlsext_host_name(tls, argv[1]) || !SSL_set1_host(tls, argv[1]) || SSL_connect(tls) != 1)
        return fprintf(stderr, "no connection\n"), 1;

    static char json[LONGEST + 1];
    snprintf(json, sizeof json, "{\"type\":\"hello\",\"version\":1,\"app\":\"%s\",\"token\":\"%s\"}", argv[3], token);
    send_frame(tls, json);
    if (argc > 7) snprintf(json, sizeof json, "{\"type\":\"open\",\"after\":\"%s\"}", argv[7]);
    send_frame(tls, argc > 7 ? json : "{\"type\":\"open\"}");
    snprintf(json, sizeof json, "{\"type\":\"message\",\"key\":\"%s\",\"text\":\"%s\"}", escaped(argv[5]), escaped(argv[6]));
    send_frame(tls, json);

    unsigned char header[4];
    while (read_all(tls, header, 4)) {
        unsigned length = (unsigned)header[0] << 24 | header[1] << 16 | header[2] << 8 | header[3];
        if (length > LONGEST || !read_all(tls, frame, (int)length)) break;
        frame[length] = 0;
        puts(frame);
        fflush(stdout);
    }
    SSL_free(tls);
    SSL_CTX_free(context);
    close(fd);
    return 0;
}
