// The counters as Prometheus reads them: the text format, or OpenMetrics where the reader asks for it
// (https://prometheus.io/docs/instrumenting/exposition_formats, and the specification of OpenMetrics 1.0). Names are those
// of control.proto behind lanyard_, lanyard_network_ and lanyard_port_. Pure; any thread.
#pragma once

#include <string>

#include "switchd/control.pb.h"

namespace lanyard::http {

struct MetricsSource {
  v1::Status status;
  v1::Networks networks;
  v1::Ports ports;
};

enum class MetricsFormat { text, open_metrics };

[[nodiscard]] std::string metrics(const MetricsSource& source, MetricsFormat format);
[[nodiscard]] std::string_view content_type(MetricsFormat format);

}  // namespace lanyard::http
