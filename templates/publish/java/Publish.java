// Publishes one event from a Java back end (17 or newer; the same classes serve Kotlin), with nothing but the JDK.
// Take `publish` into your own code.
//
// Try it:  PUBLISH_TOKEN=$(cat var/token) java publish/Publish.java TYPE '{"hello": "world"}' [KEY]

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;

public class Publish {
    static final URI ADDRESS = URI.create(System.getenv().getOrDefault("PUBLISH_URL", "http://127.0.0.1:8080/publish"));
    static final Duration TRY = Duration.ofSeconds(10); // for one request
    static final Duration GIVE_UP = Duration.ofSeconds(60); // for all; then a queue of yours may try again, with this key
    static final Set<Integer> LATER = Set.of(429, 502, 503, 504);
    static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TRY).build();

    /**
     * The answer with the event's id, once it is stored. The same key always means the same event: then a repetition
     * doubles nothing. Take the key from what happened ("order-17-shipped"), so that your back end repeats it after a
     * crash of its own.
     *
     * @param type one of the types in settings.json
     * @param json what your JSON library makes of the data
     */
    static String publish(String type, String json, String key) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(ADDRESS)
                .timeout(TRY)
                .header("Authorization", "Bearer " + System.getenv("PUBLISH_TOKEN"))
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", key)
                .POST(HttpRequest.BodyPublishers.ofString("{\"type\":\"" + type + "\",\"data\":" + json + "}"))
                .build();
        Instant end = Instant.now().plus(GIVE_UP);
        for (long pause = 500; ; pause = Math.min(5000, pause * 2)) {
            IOException why;
            try {
                HttpResponse<String> response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
                int status = response.statusCode();
                if (status == 201 || status == 200) {
                    return response.body(); // 201: stored now; 200: it was stored before, by the same key
                }
                why = new IOException(status + ": " + response.body());
                if (!LATER.contains(status)) {
                    throw new IllegalStateException(why); // stays wrong however often it is repeated
                }
            } catch (IOException error) {
                why = error; // no connection, or no answer in time: perhaps it was stored, so repeat with this key
            }
            if (Instant.now().plusMillis(pause).isAfter(end)) {
                throw why;
            }
            Thread.sleep(pause);
        }
    }

    public static void main(String[] args) throws Exception {
        System.out.println(publish(args[0], args[1], args.length > 2 ? args[2] : UUID.randomUUID().toString()));
    }
}
