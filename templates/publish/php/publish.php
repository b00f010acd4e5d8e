<?php

// Publishes one event from a PHP back end (8.0 or newer) with the curl extension. Take `publish` into your own code.
//
// Try it:  PUBLISH_TOKEN=$(cat var/token) php publish/publish.php TYPE '{"hello": "world"}' [KEY]

declare(strict_types=1);

const TRY_S = 10; // for one request
const GIVE_UP_S = 30; // for all of them; after that let a queue of yours try again later, with the same key
const LATER = [0, 429, 502, 503, 504]; // 0: no connection, or no answer in time; perhaps it was stored

/**
 * The event's id, once it is stored. The same key always means the same event: then a repetition doubles nothing.
 * Take the key from what happened ("order-17-shipped"), so that your back end repeats it after a crash of its own.
 * It may wait: call it from a queue's worker rather than in a request of a user.
 */
function publish(string $type, mixed $data, string $key): string
{
    $end = microtime(true) + GIVE_UP_S;
    for ($pause = 0.5;; $pause = min(5, $pause * 2)) {
        $curl = curl_init(getenv('PUBLISH_URL') ?: 'http://127.0.0.1:8080/publish');
        curl_setopt_array($curl, [
            CURLOPT_POSTFIELDS => json_encode(['type' => $type, 'data' => $data], JSON_THROW_ON_ERROR),
            CURLOPT_HTTPHEADER => [
                'Authorization: Bearer ' . getenv('PUBLISH_TOKEN'),
                'Content-Type: application/json',
                'Idempotency-Key: ' . $key,
                'Expect:',
            ],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => TRY_S,
        ]);
        $text = curl_exec($curl);
        $status = $text === false ? 0 : curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        $why = $text === false ? curl_error($curl) : "$status: $text";
        if ($status === 201 || $status === 200) { // 201: stored now; 200: it was stored before, by the same key
            return json_decode($text, true, 512, JSON_THROW_ON_ERROR)['id'];
        }
        if (!in_array($status, LATER, true)) { // stays wrong however often it is repeated
            throw new InvalidArgumentException($why);
        }
        if (microtime(true) + $pause > $end) {
            throw new RuntimeException('not stored within ' . GIVE_UP_S . " s: $why");
        }
        usleep((int) ($pause * 1e6));
    }
}

if (realpath($argv[0] ?? '') === __FILE__) {
    $data = json_decode($argv[2], false, 512, JSON_THROW_ON_ERROR);
    echo publish($argv[1], $data, $argv[3] ?? bin2hex(random_bytes(16))), "\n";
}
