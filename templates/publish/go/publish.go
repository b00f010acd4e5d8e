// Publishes one event from a Go back end, with nothing but the standard library. Take Publish into your own code.
//
// Try it:  PUBLISH_TOKEN=$(cat var/token) go run publish/publish.go TYPE '{"hello": "world"}' [KEY]
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// For one request. The context of the caller is for all of them.
var client = &http.Client{Timeout: 10 * time.Second}

// Publish returns the event's id once it is stored. The same key always means the same event: then a repetition doubles
// nothing. Take the key from what happened ("order-17-shipped"), so that your back end repeats it after a crash of its own.
func Publish(ctx context.Context, kind string, data any, key string) (string, error) {
	body, err := json.Marshal(map[string]any{"type": kind, "data": data})
	if err != nil {
		return "", err
	}
	for pause := 500 * time.Millisecond; ; pause = min(5*time.Second, 2*pause) {
		id, again, err := try(ctx, body, key)
		if err == nil || !again {
			return id, err
		}
		select {
		case <-ctx.Done(): // let a queue of yours try again later, with the same key
			return "", fmt.Errorf("not stored in time: %w", err)
		case <-time.After(pause):
		}
	}
}

// try sends the event once; again tells whether a repetition may help.
func try(ctx context.Context, body []byte, key string) (id string, again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, env("PUBLISH_URL", "http://127.0.0.1:8080/publish"), bytes.NewReader(body))
	if err != nil {
		return "", false, err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("PUBLISH_TOKEN"))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := client.Do(request)
	if err != nil { // no connection, or no answer in time: perhaps it was stored, so repeat with this key
		return "", true, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", true, err
	}
	switch response.StatusCode {
	case http.StatusCreated, http.StatusOK: // 201: stored now; 200: it was stored before, by the same key
		var stored struct{ ID string }
		err = json.Unmarshal(text, &stored)
		return stored.ID, false, err
	case 429, 502, 503, 504:
		return "", true, fmt.Errorf("%s: %s", response.Status, text)
	}
	return "", false, fmt.Errorf("%s: %s", response.Status, text) // stays wrong however often it is repeated
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	random := make([]byte, 16)
	rand.Read(random)
	key := hex.EncodeToString(random)
	if len(os.Args) > 3 {
		key = os.Args[3]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	id, err := Publish(ctx, os.Args[1], json.RawMessage(os.Args[2]), key)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(id)
}
