/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * https-host.c - a host by name whose addresses were looked up by the relay's resolver
 *
 * GIO would ask the machine's resolver, which may know another world than the setting dns-servers.
 */

#include "config.h"

#include "service/relay/deliver/https-host.h"

/* --- its addresses, one after the other --- */

typedef struct
{
  GSocketAddressEnumerator parent_instance;
  GPtrArray *addresses;
  guint next;
} RerouteHttpsAddresses;

typedef GSocketAddressEnumeratorClass RerouteHttpsAddressesClass;

static GType reroute_https_addresses_get_type (void);
G_DEFINE_FINAL_TYPE (RerouteHttpsAddresses,
                     reroute_https_addresses,
                     G_TYPE_SOCKET_ADDRESS_ENUMERATOR)

static GSocketAddress *
addresses_next (GSocketAddressEnumerator *base, GCancellable *cancellable, GError **error)
{
  RerouteHttpsAddresses *self = (RerouteHttpsAddresses *) base;

  return self->next < self->addresses->len ? g_object_ref (self->addresses->pdata[self->next++])
                                           : NULL;
}

static void
addresses_finalize (GObject *object)
{
  g_ptr_array_unref (((RerouteHttpsAddresses *) object)->addresses);
  G_OBJECT_CLASS (reroute_https_addresses_parent_class)->finalize (object);
}

static void
reroute_https_addresses_class_init (RerouteHttpsAddressesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = addresses_finalize;
  klass->next = addresses_next;
}

static void
reroute_https_addresses_init (RerouteHttpsAddresses *self)
{
}

/* --- the host --- */

typedef struct
{
  GNetworkAddress parent_instance;
  GPtrArray *addresses;
} RerouteHttpsHost;

typedef GNetworkAddressClass RerouteHttpsHostClass;

static void host_connectable_init (GSocketConnectableIface *iface);

static GType reroute_https_host_get_type (void);
G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteHttpsHost,
                               reroute_https_host,
                               G_TYPE_NETWORK_ADDRESS,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SOCKET_CONNECTABLE,
                                                      host_connectable_init))

static GSocketAddressEnumerator *
host_enumerate (GSocketConnectable *connectable)
{
  RerouteHttpsAddresses *addresses = g_object_new (reroute_https_addresses_get_type (), NULL);

  addresses->addresses = g_ptr_array_ref (((RerouteHttpsHost *) connectable)->addresses);
  return (GSocketAddressEnumerator *) addresses;
}

static void
host_connectable_init (GSocketConnectableIface *iface)
{
  iface->enumerate = host_enumerate;
  iface->proxy_enumerate = host_enumerate;
}

static void
host_finalize (GObject *object)
{
  g_ptr_array_unref (((RerouteHttpsHost *) object)->addresses);
  G_OBJECT_CLASS (reroute_https_host_parent_class)->finalize (object);
}

static void
reroute_https_host_class_init (RerouteHttpsHostClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = host_finalize;
}

static void
reroute_https_host_init (RerouteHttpsHost *self)
{
}

GSocketConnectable *
reroute_https_host_new (const char *name, guint16 port, GPtrArray *addresses)
{
  g_return_val_if_fail (name != NULL && addresses != NULL, NULL);

  RerouteHttpsHost *self =
    g_object_new (reroute_https_host_get_type (), "hostname", name, "port", port, NULL);

  self->addresses = g_ptr_array_ref (addresses);
  return G_SOCKET_CONNECTABLE (self);
}
