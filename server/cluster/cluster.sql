-- SPDX-License-Identifier: Apache-2.0
-- The shared log of icpd, made by icpd --found-log in the database of `cluster_log`. One row of
-- icpd.head is locked by whoever appends, until it has committed: so entries become visible in the
-- order of their sequences, and there are no gaps. Reading needs no lock.
CREATE SCHEMA icpd;

CREATE TABLE icpd.head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL,
    seq bigint NOT NULL,          -- of the last entry
    time_ms bigint NOT NULL,      -- its time
    chain bytea NOT NULL,         -- its chain
    base bigint NOT NULL,         -- entries up to it are not kept
    base_chain bytea NOT NULL,
    log bigint NOT NULL,          -- a number of this log's own, 1 … 2^60
    snapshot bigint,              -- oldest snapshot that is kept: entries behind it stay
    base_content bytea            -- what a store holds there; null once something was trimmed
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

CREATE TABLE icpd.log (
    seq bigint PRIMARY KEY,
    time_ms bigint NOT NULL,
    id bytea NOT NULL UNIQUE,     -- of the append, given by the node: a repeated one finds itself
    node text NOT NULL,           -- that appended it
    digest bytea NOT NULL,        -- XXH3-128 of the payload
    chain bytea NOT NULL,         -- SHA-256 over the chain before, seq, time, id, digest; first half
    payload bytea NOT NULL
);
ALTER TABLE icpd.log ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE TABLE icpd.node (
    name text PRIMARY KEY,
    seq bigint NOT NULL,          -- applied
    state text NOT NULL,
    reason text NOT NULL,
    seen timestamptz NOT NULL
);

CREATE TABLE icpd.vote (
    seq bigint NOT NULL,
    node text NOT NULL,
    outcome bytea NOT NULL,       -- what came of all entries up to seq
    content bytea NOT NULL,       -- what the store holds there
    PRIMARY KEY (seq, node)
);

-- Appends all or none; returns the sequence of the last. again: whether an append of these ids
-- went through is not known.
CREATE FUNCTION icpd.append(p_node text, p_again boolean, p_ids bytea[], p_digests bytea[],
                            p_payloads bytea[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    h icpd.head;
    first bigint;
    chains bytea[] := '{}';
    there bigint[];
BEGIN
    SELECT * INTO STRICT h FROM icpd.head FOR UPDATE;
    IF p_again THEN
        SELECT array_agg(seq ORDER BY seq) INTO there FROM icpd.log WHERE id = ANY (p_ids);
        IF cardinality(there) = cardinality(p_ids) THEN
            RETURN there[cardinality(there)];
        ELSIF cardinality(there) > 0 THEN
            RAISE EXCEPTION 'a part of the group is there';
        END IF;
    END IF;
    first := h.seq;
    h.time_ms := greatest(h.time_ms, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    FOR i IN 1 .. cardinality(p_ids) LOOP
        h.seq := h.seq + 1;
        h.chain := substr(sha256(h.chain || int8send(h.seq) || int8send(h.time_ms) || p_ids[i] ||
                                 p_digests[i]), 1, 16);
        chains[i] := h.chain;
    END LOOP;
    INSERT INTO icpd.log (seq, time_ms, id, node, digest, chain, payload)
        SELECT first + e.at, h.time_ms, e.id, p_node, e.digest, e.chain, e.payload
        FROM unnest(p_ids, p_digests, chains, p_payloads)
             WITH ORDINALITY AS e (id, digest, chain, payload, at);
    UPDATE icpd.head SET seq = h.seq, time_ms = h.time_ms, chain = h.chain;
    PERFORM pg_notify('icpd_log', '');
    RETURN h.seq;
END $$;

-- Forgets entries up to a sequence that every node has applied which was heard of within `silent`,
-- but for those in quarantine, which begin anew when they are mended;
-- returns the last that is gone. Never more than the oldest snapshot holds, where nodes write such.
-- Called by whoever keeps the database: SELECT icpd.trim(…).
CREATE FUNCTION icpd.trim(p_up_to bigint, p_silent interval DEFAULT '1 day') RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    h icpd.head;
    most bigint;
BEGIN
    SELECT * INTO STRICT h FROM icpd.head FOR UPDATE;
    SELECT min(seq) INTO most FROM icpd.node
        WHERE seen > clock_timestamp() - p_silent AND state <> 'quarantine';
    most := least(p_up_to, coalesce(most, h.base), h.seq, h.snapshot);
    IF most > h.base THEN
        UPDATE icpd.head SET base = most, base_content = NULL,
            base_chain = (SELECT chain FROM icpd.log WHERE seq = most);
        DELETE FROM icpd.log WHERE seq <= most;
        DELETE FROM icpd.vote WHERE seq <= most;
        h.base := most;
    END IF;
    RETURN h.base;
END $$;

-- Says which is the oldest snapshot that is kept, and trims at most so many entries behind it, that
-- appends wait for a moment at most. Called by nodes (cluster_snapshots).
CREATE FUNCTION icpd.keep(p_snapshot bigint, p_most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    UPDATE icpd.head SET snapshot = p_snapshot WHERE snapshot IS DISTINCT FROM p_snapshot;
    RETURN icpd.trim(least(p_snapshot, (SELECT base + p_most FROM icpd.head)));
END $$;
