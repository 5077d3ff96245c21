vcl 4.1;

# The shared cache before the edge. What the edge calls public is kept until one of its keys is purged, at most for
# its s-maxage; what is signed goes through and is never kept.

import std;
import xkey;

backend edge {
    .host = "127.0.0.1";
    .port = "${port_edge}";
    .connect_timeout = 2s;
    # An object that takes longer is not kept, so that the second purge of the purge worker (edge/purger.py) comes
    # after everything that was fetched before what it tells of.
    .first_byte_timeout = 10s;
    .between_bytes_timeout = 30s;
}

acl purgers {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.method == "PURGE") {
        if (client.ip !~ purgers || req.http.photolog-purge-secret != "${purge_secret}") {
            return (synth(403, "Forbidden"));
        }
        # One call drops everything under any of the keys that it names.
        return (synth(200, xkey.purge(req.http.xkey)));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405, "Method Not Allowed"));
    }
    if (req.url == "/healthz") {
        return (synth(200, "alive"));
    }
    if (req.url !~ "^/media/") {
        return (synth(404, "Not Found"));
    }
    unset req.http.cookie;
    unset req.http.authorization;
    # A signed address, or one that is misspelt: what the edge makes of it is for this reader alone.
    if (req.url !~ "^[A-Za-z0-9/._-]+$$") {
        return (pass);
    }
    # Parts of a video are asked for one by one, and the whole of it would push out everything else.
    if (req.url ~ "/file/.+\.mp4$$") {
        return (pass);
    }
    # Three classes of readers. A format with a weight counts as not named, as weighing is the edge's to do.
    if (req.url !~ "\.auto$$") {
        unset req.http.accept;
    } elsif (req.http.accept ~ "(?i)(^|,)\s*image/avif\s*(,|$$)") {
        set req.http.accept = "image/avif";
    } elsif (req.http.accept ~ "(?i)(^|,)\s*image/webp\s*(,|$$)") {
        set req.http.accept = "image/webp";
    } else {
        set req.http.accept = "image/jpeg";
    }
    return (hash);
}

sub vcl_hash {
    # The path says all; under another name of this host the same is kept once.
    hash_data(req.url);
    hash_data(req.http.accept);
    return (lookup);
}

sub vcl_backend_response {
    unset beresp.http.x-request-id;
    if (bereq.uncacheable) {
        return (deliver);
    }
    if (beresp.status >= 500) {
        if (bereq.is_bgfetch) {
            return (abandon);
        }
        # Everybody who waited for it gets it, instead of asking one by one.
        set beresp.ttl = 1s;
        set beresp.grace = 0s;
        set beresp.keep = 0s;
        return (deliver);
    }
    if (beresp.status != 200 || beresp.http.cache-control !~ "public") {
        # Not kept, and those who ask for it meanwhile do not wait for each other.
        set beresp.uncacheable = true;
        set beresp.ttl = 10s;
        return (deliver);
    }
    if (std.integer(beresp.http.content-length, 0) > 8388608) {
        return (pass(10m));
    }
    # Its life is its s-maxage. An old object is asked for again by its ETag, which costs the edge a look and no resize.
    set beresp.grace = 10s;
    set beresp.keep = 1h;
    return (deliver);
}

sub vcl_deliver {
    unset resp.http.xkey;
    unset resp.http.via;
    unset resp.http.x-varnish;
    # Other shared caches on the way are not purged, so they are to ask each time.
    if (resp.http.cache-control) {
        set resp.http.cache-control = regsub(resp.http.cache-control, "s-maxage=[0-9]+", "s-maxage=0");
    }
    if (obj.hits > 0) {
        set resp.http.x-cache = "hit";
    } else {
        set resp.http.x-cache = "miss";
    }
}

sub vcl_backend_error {
    set beresp.http.content-type = "text/plain; charset=utf-8";
    set beresp.http.cache-control = "no-store";
    set beresp.http.retry-after = "1";
    set beresp.ttl = 1s;
    set beresp.grace = 0s;
    synthetic("the edge does not answer; try again");
    return (deliver);
}

sub vcl_synth {
    set resp.http.content-type = "text/plain; charset=utf-8";
    set resp.http.cache-control = "no-store";
    synthetic(resp.reason);
    return (deliver);
}
