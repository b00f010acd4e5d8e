# Publishes one event from a Ruby back end, with nothing but the standard library. Take `publish` into your own code.
#
# Try it:  PUBLISH_TOKEN=$(cat var/token) ruby publish/publish.rb TYPE '{"hello": "world"}' [KEY]

require "json"
require "net/http"
require "securerandom"

ADDRESS = URI(ENV.fetch("PUBLISH_URL", "http://127.0.0.1:8080/publish"))
TRY_S = 10 # for one request
GIVE_UP_S = 60 # for all of them; after that let a queue of yours try again later, with the same key
LATER = [429, 502, 503, 504].freeze

# The event's id, once it is stored. The same key always means the same event: then a repetition doubles nothing.
# Take the key from what happened ("order-17-shipped"), so that your back end repeats it after a crash of its own.
def publish(type, data, key)
  request = Net::HTTP::Post.new(
    ADDRESS,
    "Authorization" => "Bearer #{ENV.fetch("PUBLISH_TOKEN")}",
    "Content-Type" => "application/json",
    "Idempotency-Key" => key
  )
  request.body = JSON.generate({ type: type, data: data })
  finish = Process.clock_gettime(Process::CLOCK_MONOTONIC) + GIVE_UP_S
  pause = 0.5
  loop do
    begin
      options = { use_ssl: ADDRESS.scheme == "https", open_timeout: TRY_S, read_timeout: TRY_S, write_timeout: TRY_S }
      response = Net::HTTP.start(ADDRESS.host, ADDRESS.port, **options) { |http| http.request(request) }
      status = response.code.to_i
      return JSON.parse(response.body).fetch("id") if [200, 201].include?(status) # 200: it was stored before
      why = "#{status}: #{response.body}"
      raise ArgumentError, why unless LATER.include?(status) # stays wrong however often it is repeated
    rescue SystemCallError, SocketError, IOError, Timeout::Error, OpenSSL::SSL::SSLError => e
      why = e.message # no connection, or no answer in time: perhaps it was stored, so repeat with this key
    end
    raise "not stored within #{GIVE_UP_S} s: #{why}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) + pause > finish
    sleep pause
    pause = [5, pause * 2].min
  end
end

puts publish(ARGV[0], JSON.parse(ARGV[1]), ARGV[2] || SecureRandom.uuid) if $PROGRAM_NAME == __FILE__
