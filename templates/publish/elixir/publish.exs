# Publishes one event from an Elixir back end, with nothing but Erlang's own HTTP client. Take the module into your own code.
#
# Try it:  PUBLISH_TOKEN=$(cat var/token) elixir publish/publish.exs TYPE '{"hello": "world"}' [KEY]

defmodule Publish do
  @try_ms 10_000
  @give_up_ms 60_000
  @later [429, 502, 503, 504]

  @doc """
  `{:ok, answer}` with the event's id, once it is stored. The same key always means the same event: then a repetition
  doubles nothing. Take the key from what happened ("order-17-shipped"), so that your back end repeats it after a crash of
  its own. `type` is one of those in settings.json, `json` what your JSON library makes of the data.
  """
  def publish(type, json, key) do
    headers = [
      {~c"authorization", ~c"Bearer " ++ to_charlist(System.fetch_env!("PUBLISH_TOKEN"))},
      {~c"idempotency-key", to_charlist(key)}
    ]

    url = to_charlist(System.get_env("PUBLISH_URL", "http://127.0.0.1:8080/publish"))
    request = {url, headers, ~c"application/json", ~s({"type":"#{type}","data":#{json}})}
    attempt(request, now() + @give_up_ms, 500)
  end

  defp attempt(request, finish, pause) do
    options = [timeout: @try_ms, connect_timeout: @try_ms, autoredirect: false]

    case :httpc.request(:post, request, options, body_format: :binary) do
      # 201: stored now; 200: it was stored before, by the same key
      {:ok, {{_, status, _}, _, body}} when status in [200, 201] -> {:ok, body}
      {:ok, {{_, status, _}, _, body}} when status in @later -> again(request, finish, pause, {status, body})
      # Stays wrong however often it is repeated.
      {:ok, {{_, status, _}, _, body}} -> {:error, {status, body}}
      # No connection, or no answer in time: perhaps it was stored, so repeat with this key.
      {:error, why} -> again(request, finish, pause, why)
    end
  end

  defp again(request, finish, pause, why) do
    if now() + pause > finish do
      {:error, why}
    else
      Process.sleep(pause)
      attempt(request, finish, min(5_000, pause * 2))
    end
  end

  defp now, do: System.monotonic_time(:millisecond)
end

# In an application of yours: extra_applications: [:inets, :ssl] in mix.exs, in place of these lines.
{:ok, _} = Application.ensure_all_started(:inets)
{:ok, _} = Application.ensure_all_started(:ssl)
[type, json | key] = System.argv()
key = List.first(key) || Base.encode16(:crypto.strong_rand_bytes(16))

case Publish.publish(type, json, key) do
  {:ok, answer} ->
    IO.puts(answer)

  {:error, why} ->
    IO.puts(:stderr, inspect(why))
    System.halt(1)
end
