package paai;

/** The name in configurations that an earlier version stored in Connect: they run until the operator has put them right. */
public final class IsolatingSinkConnector extends ReadingSinkConnector {}
