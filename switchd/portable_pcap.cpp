// For portable builds only, in which libpcap is linked statically: the two functions of it that need D-Bus, of which
// Debian has no static library. They list and open D-Bus as a device to capture on; we only have libpcap compile
// filters, and open no device.
extern "C" {

int dbus_findalldevs(void*, char*) { return 0; }

void* dbus_create(const char*, char*, int* is_ours) {
  *is_ours = 0;
  return nullptr;
}

}
