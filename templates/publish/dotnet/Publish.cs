// Publishes one event from a .NET back end (8 or newer), with nothing but .NET itself. Take the class into your own code.
//
// Try it with .NET 10:  PUBLISH_TOKEN=$(cat var/token) dotnet run publish/Publish.cs TYPE '{"hello": "world"}' [KEY]

using System;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

var key = args.Length > 2 ? args[2] : Guid.NewGuid().ToString();
using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
Console.WriteLine(await Publisher.PublishAsync(args[0], args[1], key, limit.Token));

public static class Publisher
{
    static readonly Uri Address =
        new(Environment.GetEnvironmentVariable("PUBLISH_URL") ?? "http://127.0.0.1:8080/publish");
    static readonly string Token = Environment.GetEnvironmentVariable("PUBLISH_TOKEN") ?? "";
    static readonly HttpClient Client = new() { Timeout = TimeSpan.FromSeconds(10) }; // for one request

    /// <summary>
    /// The event's id, once it is stored. The same key always means the same event: then a repetition doubles nothing.
    /// Take the key from what happened ("order-17-shipped"), so that your back end repeats it after a crash of its own.
    /// </summary>
    /// <param name="type">One of the types in settings.json.</param>
    /// <param name="json">The data, as JsonSerializer writes it.</param>
    public static async Task<string> PublishAsync(string type, string json, string key, CancellationToken limit)
    {
        for (var pause = 500; ; pause = Math.Min(5000, pause * 2))
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Address); // a request can be sent only once
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
            request.Headers.Add("Idempotency-Key", key);
            request.Content = new StringContent($"{{\"type\":\"{type}\",\"data\":{json}}}", Encoding.UTF8);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            try
            {
                using var response = await Client.SendAsync(request, limit);
                var text = await response.Content.ReadAsStringAsync(limit);
                if (response.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK) // 200: it was stored before
                {
                    return JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!;
                }
                if ((int)response.StatusCode is not (429 or 502 or 503 or 504))
                {
                    // Stays wrong however often it is repeated.
                    throw new InvalidOperationException($"{(int)response.StatusCode}: {text}");
                }
            }
            catch (HttpRequestException)
            {
                // No connection: perhaps it was stored, so repeat with this key.
            }
            catch (TaskCanceledException) when (!limit.IsCancellationRequested)
            {
                // No answer in time: the same.
            }
            await Task.Delay(pause, limit); // when the limit is over, let a queue of yours try again, with the same key
        }
    }
}
