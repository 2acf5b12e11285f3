// The verbs of control.proto: what each asks of the daemon. Knows no socket; a Client brings requests and takes
// responses, be it by the control socket or by HTTP. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "switchd/control/capture_stream.h"
#include "switchd/control/client.h"
#include "switchd/control/observation.h"
#include "switchd/topology.h"

namespace lanyard::control {

class Api {
 public:
  struct Services {
    Topology& topology;
    DataLink& link;
    EventLog& events;
    std::function<void()> shut_down;
  };
  Api(asio::io_context& io, const Services& services)
      : io_(io), services_(services), observation_(services.link, services.topology), filters_(io) {}

  void adopt(const Dataplane& dataplane, const std::string& engine) {
    dataplane_ = &dataplane;
    engine_ = engine;
  }
  void listens_at(const std::string& where) { listens_.push_back(where); }
  void begin();  // `ready` was printed
  void stop() { stopping_ = true; }
  // Would destruction have to wait for a name server?
  [[nodiscard]] bool is_resolving() const { return filters_.is_compiling(); }

  void handle(const v1::Request& request, const std::shared_ptr<Client>& client);

 private:
  // Answers one request. May be called after the client has gone.
  struct Asked {
    std::uint64_t id = 0;
    std::weak_ptr<Client> client;
    void respond(v1::Response response) const { send(response); }
    void send(v1::Response& response) const;
    void done(std::uint64_t count = 0) const;
    void show(std::vector<v1::Ports> parts) const;
    void refuse(const Refusal& refusal) const;
    void refuse(v1::Error::Code code, const std::string& message) const;
  };

  bool handle_reading(const v1::Request& request, const Asked& asked);
  bool handle_change(const v1::Request& request, const Asked& asked);
  bool handle_stream(const v1::Request& request, const Asked& asked);

  void status(const Asked& asked) const;
  void list_networks(const v1::ListNetworks& verb, const Asked& asked);
  void list_ports(const v1::ListPorts& verb, const Asked& asked);
  void list_macs(const v1::ListMacs& verb, const Asked& asked);

  // `make` says what the configuration shall be, as seen when it is this change's turn, or why not; it returns the name
  // of the port that the answer shows, or an empty string.
  using Make = std::function<std::optional<Refusal>(Config& wanted, std::string& shown)>;
  void change(const Asked& asked, Make make, std::function<void(const std::string& shown)> told);
  // The step that all changes share; `done` is called when the ports, networks and their pasts are as wanted.
  void carry_out(const Config& wanted, std::function<void(const std::optional<Refusal>&)> done);
  void add_port(const v1::AddPort& verb, const Asked& asked);
  void set_port(const v1::SetPort& verb, const Asked& asked);
  void remove_port(const v1::RemovePort& verb, const Asked& asked);
  void switch_port(const std::string& name, bool enable, const Asked& asked);
  void add_network(const v1::AddNetwork& verb, const Asked& asked);
  void set_network(const v1::SetNetwork& verb, const Asked& asked);
  void remove_network(const v1::RemoveNetwork& verb, const Asked& asked);
  void apply(const v1::Apply& verb, const Asked& asked);
  void flush(const v1::FlushMacs& verb, const Asked& asked);
  void shut_down(const Asked& asked);
  void add_mirror(const v1::AddMirror& verb, const Asked& asked);
  void remove_mirror(const v1::RemoveMirror& verb, const Asked& asked);
  void list_mirrors(const Asked& asked);
  // Memory for the past of networks that shall have another size of it. It is reserved before anything is changed, so
  // that a change for which there is no address space is refused.
  using Rewinds = std::map<std::string, std::unique_ptr<Rewind>>;  // null: none from now on
  [[nodiscard]] std::optional<Refusal> reserve_rewinds(const Config& wanted, Rewinds& rewinds) const;
  void set_rewinds(Rewinds rewinds, std::function<void()> done);  // `done` is called when it is so

  void watch_stats(const v1::WatchStats& verb, const Asked& asked);
  void watch_events(const v1::WatchEvents& verb, const Asked& asked);
  void capture(const v1::Capture& verb, const Asked& asked);
  void cancel(const v1::Cancel& verb, const Asked& asked);
  bool keep(std::unique_ptr<Stream> stream, const Asked& asked);  // false: it was refused

  [[nodiscard]] Config present() const;
  [[nodiscard]] std::optional<Refusal> check_port(const std::string& name) const;
  [[nodiscard]] std::optional<Refusal> check_network(const std::string& name) const;
  [[nodiscard]] Refusal no_such_port(const std::string& name) const;
  void show_port(const std::string& name, const Asked& asked);
  void tell(EventKind kind, const std::string& port, const std::string& network, std::string text);
  void tell(const Change& change);
  [[nodiscard]] std::string what_changed(const Change& change) const;
  [[nodiscard]] std::string address_of(const std::string& port) const;

  asio::io_context& io_;
  const Services services_;
  Observation observation_;
  FilterCompiler filters_;
  const Dataplane* dataplane_ = nullptr;
  std::string engine_;
  std::vector<std::string> listens_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::system_clock::time_point started_at_ = std::chrono::system_clock::now();
  bool ready_ = false;
  bool stopping_ = false;
};

}  // namespace lanyard::control
