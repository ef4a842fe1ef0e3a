/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sts-host.c - a host by name whose addresses were looked up by the relay's resolver
 *
 * GIO would ask the machine's resolver, which may know another world than the setting dns-servers.
 */

#include "config.h"

#include "service/relay/deliver/sts-host.h"

/* --- its addresses, one after the other --- */

typedef struct
{
  GSocketAddressEnumerator parent_instance;
  GPtrArray *addresses;
  guint next;
} RerouteStsAddresses;

typedef GSocketAddressEnumeratorClass RerouteStsAddressesClass;

static GType reroute_sts_addresses_get_type (void);
G_DEFINE_FINAL_TYPE (RerouteStsAddresses, reroute_sts_addresses, G_TYPE_SOCKET_ADDRESS_ENUMERATOR)

static GSocketAddress *
addresses_next (GSocketAddressEnumerator *base, GCancellable *cancellable, GError **error)
{
  RerouteStsAddresses *self = (RerouteStsAddresses *) base;

  return self->next < self->addresses->len ? g_object_ref (self->addresses->pdata[self->next++])
                                           : NULL;
}

static void
addresses_finalize (GObject *object)
{
  g_ptr_array_unref (((RerouteStsAddresses *) object)->addresses);
  G_OBJECT_CLASS (reroute_sts_addresses_parent_class)->finalize (object);
}

static void
reroute_sts_addresses_class_init (RerouteStsAddressesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = addresses_finalize;
  klass->next = addresses_next;
}

static void
reroute_sts_addresses_init (RerouteStsAddresses *self)
{
}

/* --- the host --- */

typedef struct
{
  GNetworkAddress parent_instance;
  GPtrArray *addresses;
} RerouteStsHost;

typedef GNetworkAddressClass RerouteStsHostClass;

static void host_connectable_init (GSocketConnectableIface *iface);

static GType reroute_sts_host_get_type (void);
G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteStsHost,
                               reroute_sts_host,
                               G_TYPE_NETWORK_ADDRESS,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SOCKET_CONNECTABLE,
                                                      host_connectable_init))

static GSocketAddressEnumerator *
host_enumerate (GSocketConnectable *connectable)
{
  RerouteStsAddresses *addresses = g_object_new (reroute_sts_addresses_get_type (), NULL);

  addresses->addresses = g_ptr_array_ref (((RerouteStsHost *) connectable)->addresses);
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
  g_ptr_array_unref (((RerouteStsHost *) object)->addresses);
  G_OBJECT_CLASS (reroute_sts_host_parent_class)->finalize (object);
}

static void
reroute_sts_host_class_init (RerouteStsHostClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = host_finalize;
}

static void
reroute_sts_host_init (RerouteStsHost *self)
{
}

GSocketConnectable *
reroute_sts_host_new (const char *name, guint16 port, GPtrArray *addresses)
{
  g_return_val_if_fail (name != NULL && addresses != NULL, NULL);

  RerouteStsHost *self =
    g_object_new (reroute_sts_host_get_type (), "hostname", name, "port", port, NULL);

  self->addresses = g_ptr_array_ref (addresses);
  return G_SOCKET_CONNECTABLE (self);
}
